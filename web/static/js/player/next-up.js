// The card of the next episode: when it comes, how long it waits, and what follows
// when nobody does anything.
import { t, tn } from "../words.js";

// Without a marker: only films of ten minutes and more announce what comes, that many
// seconds before their end, and not in the last twenty.
const LEAST_MINUTES = 10;
const LATEST_SECONDS = 20;
const BEFORE_END = [
  [50, 40],
  [40, 35],
  [LEAST_MINUTES, 30],
];
// Credits longer than this are not waited for.
const CREDITS_SECONDS = 15;
const AFTER_END_SECONDS = 8;
// A scene after the credits is not lost to whoever waits for it.
const SCENE_SECONDS = 5;
const UNATTENDED = 3;
const TICK_MILLISECONDS = 250;
const REMEMBERED = "matinee-unattended";

export class NextUp {
  #next = null;
  #at = Infinity;
  #ofCredits = false;
  #stays = false;
  #left = 0;
  #whole = 1;
  #timer = 0;
  #ticked = 0;

  /**
   * ``go(slug)`` turns to an episode, ``over()`` is called when a film has ended and
   * nothing follows by itself; ``busy()`` says that the viewer is typing or choosing.
   */
  constructor({ card, still, video, preferences, go, over, busy }) {
    Object.assign(this, { card, still, video, preferences, go, over, busy });
    this.parts = parts(card);
    this.parts.go.addEventListener("click", () => this.play());
    this.parts.stay.addEventListener("click", () => this.stay());
    parts(still).go.addEventListener("click", () => this.#goOn());
    still.addEventListener("cancel", () => this.stay());
    video.addEventListener("timeupdate", () => this.#look());
    video.addEventListener("ended", () => this.#ended());
    for (const event of ["pointerdown", "keydown"]) {
      window.addEventListener(event, () => attended(0), true);
    }
  }

  get shown() {
    return !this.card.hidden;
  }

  /** Take what follows a film, its markers and its length. */
  about(next, markers, duration) {
    this.#hide();
    this.#next = next;
    this.#stays = false;
    const credits = markers.findLast(
      ({ kind, start, end }) =>
        kind === "credits" && end >= duration - SCENE_SECONDS && start > duration / 2,
    );
    this.#ofCredits = credits !== undefined;
    this.#at = credits?.start ?? duration - usual(duration);
  }

  /** Go to the next episode because somebody said so. */
  play() {
    if (this.#next) {
      attended(0);
      this.#leave();
    }
  }

  /** Stay with this film to its very end. */
  stay() {
    this.#stays = true;
    this.#hide();
    if (this.video.ended) {
      this.over();
    }
  }

  #look() {
    const { currentTime: now, duration } = this.video;
    if (!this.#next || this.#stays || this.video.ended) {
      return;
    }
    const due = now >= this.#at;
    if (this.shown && !due) {
      this.#hide();
    } else if (!this.shown && due && (this.#ofCredits || duration - now >= LATEST_SECONDS)) {
      const rest = duration - now;
      this.#show(this.#ofCredits ? Math.min(rest, CREDITS_SECONDS) : rest);
    }
  }

  #ended() {
    if (!this.#next || this.#stays || !this.preferences.values.autoplay_next) {
      this.#hide();
      this.over();
    } else if (this.shown) {
      this.#follow();
    } else {
      this.#show(AFTER_END_SECONDS);
    }
  }

  #show(seconds) {
    const { art, name, label, go } = this.parts;
    const next = this.#next;
    name.textContent = next.name;
    label.textContent = next.label;
    art.hidden = !next.art;
    if (next.art) {
      art.src = `/artwork/${next.art}/320.jpg`;
    }
    this.#left = this.#whole = this.preferences.values.autoplay_next ? seconds : 0;
    this.card.hidden = false;
    this.#say();
    if (this.#left) {
      this.#ticked = performance.now();
      this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    }
    if (!this.busy()) {
      go.focus({ preventScroll: true });
    }
  }

  #tick() {
    // A page in the background ticks as it is let to.
    const passed = (performance.now() - this.#ticked) / 1000;
    this.#ticked = performance.now();
    // Whoever pauses wants to look; whoever opens something is busy.
    if ((this.video.paused && !this.video.ended) || this.busy()) {
      return;
    }
    this.#left -= passed;
    this.#say();
    if (this.#left <= 0) {
      this.#follow();
    }
  }

  #say() {
    const seconds = Math.max(0, Math.ceil(this.#left));
    this.parts.when.textContent = this.#whole
      ? tn("Next in {n} second", "Next in {n} seconds", seconds)
      : t("Next");
    this.parts.progress.hidden = !this.#whole;
    this.parts.progress.value = this.#whole ? 1 - this.#left / this.#whole : 0;
  }

  /** Go on by itself; but ask first when nobody has touched anything for long. */
  #follow() {
    clearInterval(this.#timer);
    if (attended() >= UNATTENDED) {
      this.video.pause();
      this.#hide();
      this.still.showModal();
      return;
    }
    attended(attended() + 1);
    this.#leave();
  }

  #goOn() {
    this.still.close();
    this.play();
  }

  #leave() {
    const { slug } = this.#next;
    this.#hide();
    this.#next = null;
    this.go(slug);
  }

  #hide() {
    clearInterval(this.#timer);
    if (this.card.contains(document.activeElement)) {
      this.video.closest(".stage").focus({ preventScroll: true });
    }
    this.card.hidden = true;
  }
}

/** Return, or set, how many episodes began by themselves since anybody was there. */
function attended(count) {
  if (count !== undefined) {
    sessionStorage.setItem(REMEMBERED, count);
  }
  return Number(sessionStorage.getItem(REMEMBERED) ?? 0);
}

function usual(duration) {
  const found = BEFORE_END.find(([minutes]) => duration >= minutes * 60);
  return found ? found[1] : -Infinity;
}

function parts(element) {
  const found = [...element.querySelectorAll("[data-part]")];
  return Object.fromEntries(found.map((part) => [part.dataset.part, part]));
}
