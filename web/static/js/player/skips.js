// A button over the picture while there is something to skip: an intro, what happened
// before, credits with a scene after them.
import { t } from "../words.js";

const SHOWN_MILLISECONDS = 8_000;
// Closer to the end of the film there is nothing left to skip to.
const LEAST_AFTER = 5;
const WORDS = {
  intro: () => t("Skip intro"),
  recap: () => t("Skip recap"),
  credits: () => t("Skip credits"),
  preview: () => t("Skip preview"),
};

export class Skips {
  #spans = [];
  #now = null;
  #timer = 0;

  constructor(box, video, { onTv }) {
    Object.assign(this, { box, video, onTv });
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "btn play skip-part";
    this.button.addEventListener("click", () => this.skip());
    video.addEventListener("timeupdate", () => this.#look());
    video.addEventListener("seeked", () => this.#look());
    video.addEventListener("emptied", () => this.show([]));
  }

  /** Take the markers of a film. */
  show(markers) {
    this.#spans = markers.filter(({ kind }) => kind in WORDS);
    this.#turn(null);
  }

  /** Go to the end of what can be skipped now; say whether there was something. */
  skip() {
    const span = this.#span();
    if (!span) {
      return false;
    }
    const held = this.button === document.activeElement;
    this.video.currentTime = span.end;
    this.#turn(null);
    if (held) {
      this.video.closest(".stage").focus();
    }
    return true;
  }

  #look() {
    const span = this.#span();
    if (span !== this.#now) {
      this.#turn(span);
    }
  }

  #span() {
    const { currentTime: now, duration } = this.video;
    const open = ({ kind, start, end }) =>
      start <= now && now < end - 1 && (kind !== "credits" || end < duration - LEAST_AFTER);
    return this.#spans.find(open) ?? null;
  }

  #turn(span) {
    this.#now = span;
    clearTimeout(this.#timer);
    if (!span) {
      this.button.remove();
      return;
    }
    this.button.textContent = WORDS[span.kind]();
    this.button.classList.remove("late");
    this.box.append(this.button);
    // After a while it comes and goes with the controls.
    this.#timer = setTimeout(() => this.button.classList.add("late"), SHOWN_MILLISECONDS);
    // A remote control has nothing to point with: what has no focus gets it.
    if (this.onTv && document.activeElement === document.body) {
      this.button.focus({ preventScroll: true });
    }
  }
}
