// Sizes, speeds and times as people read them.
const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function size(bytes) {
  let unit = 0;
  let figure = bytes;
  while (figure >= 999.5 && unit < UNITS.length - 1) {
    figure /= 1000;
    unit += 1;
  }
  return `${unit === 0 || figure >= 99.95 ? Math.round(figure) : figure.toFixed(1)} ${UNITS[unit]}`;
}

export function time(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

// The speed of the last ten seconds: steady enough to read, quick enough to believe.
export class Meter {
  static #WINDOW = 10_000;
  #points = [];

  restart() {
    this.#points = [];
  }

  // Take in how many bytes have been sent, and return bytes a second or null.
  at(sent, now = performance.now()) {
    this.#points.push({ sent, now });
    while (this.#points.length > 2 && now - this.#points[0].now > Meter.#WINDOW) {
      this.#points.shift();
    }
    const first = this.#points[0];
    const seconds = (now - first.now) / 1000;
    return seconds < 1 ? null : Math.max(0, (sent - first.sent) / seconds);
  }
}
