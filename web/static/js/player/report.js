// Heartbeats: where the viewer is, and what was really played, told to the server.
import { call } from "../api.js";

const AT_MOST_RANGES = 100;

export class Report {
  #seq = 0;
  #timer = 0;
  #stopped = false;
  #told = 0;

  /**
   * ``session`` is the answer of POST /api/v1/playback; ``onTokens`` gets each answer
   * with fresh tokens, ``onStop`` the reason when the server ends the session.
   */
  constructor(session, video, player, { onTokens, onStop }) {
    this.url = `/api/v1/playback/${session.session}/heartbeat`;
    this.every = session.heartbeat_seconds;
    this.video = video;
    this.player = player;
    this.onTokens = onTokens;
    this.onStop = onStop;
  }

  start() {
    const now = () => this.send();
    const away = () => document.visibilityState === "hidden" && this.send(true);
    this.listeners = [
      [this.video, "pause", now],
      [this.video, "seeked", () => this.#later(1)],
      [this.video, "ended", now],
      [document, "visibilitychange", away],
    ];
    this.listeners.forEach(([on, name, act]) => on.addEventListener(name, act));
    this.#later(this.every);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.listeners?.forEach(([on, name, act]) => on.removeEventListener(name, act));
  }

  /** Return a place that the server has not heard of yet, else null. */
  get untold() {
    const { currentTime, played } = this.video;
    return played.length && Math.abs(currentTime - this.#told) > 1 ? currentTime : null;
  }

  /** Report now; ``leaving`` outlives the page. A report that is lost is not mourned. */
  async send(leaving = false) {
    if (this.#stopped || !Number.isFinite(this.video.duration)) {
      return;
    }
    try {
      const body = this.#body();
      const answer = await call("POST", this.url, body, { keepalive: leaving });
      this.#told = body.position;
      // What comes after the end is about a film that plays no more.
      if (!this.#stopped) {
        this.#take(answer);
      }
    } catch (error) {
      this.#lost(error);
    }
  }

  #take(answer) {
    this.onTokens(answer);
    if (answer.stop_reason) {
      this.stop();
      this.onStop(answer.stop_reason);
      return;
    }
    this.#later(answer.next || this.every);
  }

  #lost(error) {
    const gone = [401, 403, 404, 409, 410].includes(error.status);
    if (gone && !this.#stopped) {
      this.stop();
      this.onStop(error.status === 401 ? "signed-out" : error.code, error.message);
      return;
    }
    this.#later(this.every);
  }

  #later(seconds) {
    clearTimeout(this.#timer);
    if (!this.#stopped) {
      this.#timer = setTimeout(() => this.send(), seconds * 1000);
    }
  }

  #body() {
    return {
      seq: ++this.#seq,
      position: round(this.video.currentTime),
      played_ranges: ranges(this.video.played),
      state: state(this.video),
      quality: quality(this.player),
    };
  }
}

function state(video) {
  if (video.ended) {
    return "ended";
  }
  if (video.paused) {
    return "paused";
  }
  return video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? "buffering" : "playing";
}

function ranges(played) {
  const all = Array.from({ length: played.length }, (_, index) => [
    round(played.start(index)),
    round(played.end(index)),
  ]);
  return all.slice(-AT_MOST_RANGES);
}

function quality(player) {
  const stats = player.getStats();
  const number = (value) => (Number.isFinite(value) ? Math.round(value) : 0);
  return {
    height: number(stats.height),
    bandwidth: number(stats.streamBandwidth),
    decoded: number(stats.decodedFrames),
    dropped: number(stats.droppedFrames),
    buffering: round(stats.bufferingTime || 0),
    stalls: number(stats.stallsDetected),
    startup: round(stats.timeToFirstFrame || stats.loadLatency || 0),
  };
}

function round(seconds) {
  return Math.round(seconds * 100) / 100;
}
