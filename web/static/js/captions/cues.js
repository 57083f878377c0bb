// The cues that are edited. None is changed in place: each act gives a new list, so
// that every list before it can come back.
const MOST_REMEMBERED = 60;
const SHORTEST = 300;
const NEW = 2000;

let count = 0;

export class Cues {
  #past = [];

  constructor(rows) {
    this.list = rows.map(([start, end, text, settings, unsure]) =>
      named({ start, end, text, settings, unsure }),
    );
    this.#past = [this.list];
  }

  /** Return what the server keeps. */
  rows() {
    return this.list.map((cue) => [cue.start, cue.end, cue.text, cue.settings, cue.unsure]);
  }

  of(id) {
    return this.list.find((cue) => cue.id === id);
  }

  number(id) {
    return this.list.findIndex((cue) => cue.id === id);
  }

  /** Return the cues that are shown at a time. */
  at(time) {
    return this.list.filter((cue) => cue.start <= time && time < cue.end);
  }

  /** Change a cue while somebody types; remember() follows when they are done. */
  change(id, changes) {
    this.list = this.list.map((cue) => (cue.id === id ? { ...cue, ...changes } : cue));
  }

  /** Put cues in order, and let undo() come back to before. */
  remember() {
    this.list = this.list.toSorted((one, other) => one.start - other.start);
    if (!same(this.list, this.#past.at(-1))) {
      this.#past = [...this.#past, this.list].slice(-MOST_REMEMBERED);
    }
  }

  undo() {
    this.remember();
    if (this.#past.length < 2) {
      return false;
    }
    this.#past.pop();
    this.list = this.#past.at(-1);
    return true;
  }

  /** Show all cues later, or from a cue on; none begins before the film. */
  shift(milliseconds, from = 0) {
    this.list = this.list.map((cue, number) =>
      number < from
        ? cue
        : {
            ...cue,
            start: Math.max(0, cue.start + milliseconds),
            end: Math.max(SHORTEST, cue.end + milliseconds),
          },
    );
    this.remember();
  }

  /** Split a cue where the cursor is, at the time ``at`` where that lies inside. */
  split(id, place, at) {
    const number = this.number(id);
    const cue = this.list[number];
    const cut = whereToCut(cue.text, place);
    const share = cut / Math.max(1, cue.text.length);
    const inside = at > cue.start + SHORTEST && at < cue.end - SHORTEST;
    const middle = Math.round(inside ? at : cue.start + (cue.end - cue.start) * share);
    const first = { ...cue, end: middle, text: cue.text.slice(0, cut).trim() };
    const second = named({ ...cue, start: middle, text: cue.text.slice(cut).trim() });
    this.list = this.list.toSpliced(number, 1, first, second);
    this.remember();
    return second.id;
  }

  /** Join a cue with the next one, into two lines where it was one each. */
  join(id) {
    const number = this.number(id);
    const [cue, next] = [this.list[number], this.list[number + 1]];
    if (!next) {
      return false;
    }
    const lines = [...cue.text.split("\n"), ...next.text.split("\n")].filter(Boolean);
    const text = lines.length > 2 ? lines.join(" ") : lines.join("\n");
    const joined = {
      ...cue,
      end: Math.max(cue.end, next.end),
      text,
      unsure: cue.unsure || next.unsure,
    };
    this.list = this.list.toSpliced(number, 2, joined);
    this.remember();
    return true;
  }

  /** Make an empty cue at a time, as long as the next one leaves it. */
  insert(at) {
    const next = this.list.find((cue) => cue.start > at);
    const end = Math.min(at + NEW, next ? next.start : Infinity);
    const start = Math.round(at);
    const cue = named({
      start,
      end: Math.max(Math.round(end), start + SHORTEST),
      text: "",
      settings: "",
      unsure: false,
    });
    this.list = [...this.list, cue];
    this.remember();
    return cue.id;
  }

  remove(id) {
    this.list = this.list.filter((cue) => cue.id !== id);
    this.remember();
  }
}

/** Write a time as 00:01:02.345. */
export function written(milliseconds) {
  const [seconds, rest] = [Math.floor(milliseconds / 1000), milliseconds % 1000];
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0"),
  );
  return `${parts.join(":")}.${String(Math.floor(rest)).padStart(3, "0")}`;
}

/** Read 62.5, 1:02,5 or 00:01:02.500 as milliseconds; null when it is no time. */
export function read(text) {
  const found = /^(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,6})(?:[.,](\d{1,3}))?$/.exec(
    text.trim(),
  );
  if (!found) {
    return null;
  }
  const [, hours, minutes, seconds, part] = found;
  if (minutes !== undefined && Number(seconds) > 59) {
    return null;
  }
  const whole = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds);
  return whole * 1000 + Number((part ?? "0").padEnd(3, "0"));
}

function named(cue) {
  count += 1;
  return { ...cue, id: count };
}

/** Return a place between words: at the cursor, else in the middle. */
function whereToCut(text, place) {
  const inside = place > 0 && place < text.length;
  const aim = inside ? place : text.length / 2;
  const gaps = [...text.matchAll(/\s+/g)].map((gap) => gap.index);
  const near = gaps.toSorted((a, b) => Math.abs(a - aim) - Math.abs(b - aim));
  return inside ? place : (near[0] ?? text.length);
}

function same(one, other) {
  return one.length === other.length && one.every((cue, n) => cue === other[n]);
}
