// Who watches, and when, moving slowly over the picture: what is filmed from a screen
// tells whose screen it was.

const STAY_MILLISECONDS = 20_000;
const MARGIN = 0.04;

export class Watermark {
  #mark = document.createElement("p");
  #text = "";
  #timer = 0;

  constructor(box) {
    this.box = box;
    this.#mark.className = "watermark";
    this.#mark.ariaHidden = "true";
    // The player lays its controls out anew now and then; a viewer may try to help.
    new MutationObserver(() => this.#stay()).observe(box, { childList: true });
    new ResizeObserver(() => this.#jump()).observe(box);
  }

  /** Show the mark of a session from now on, or none. */
  show(mark) {
    this.#text = mark?.text ?? "";
    clearInterval(this.#timer);
    if (this.#text) {
      this.#stay();
      this.#jump();
      this.#move();
      this.#timer = setInterval(() => this.#move(), STAY_MILLISECONDS);
    } else {
      this.#mark.remove();
    }
  }

  #stay() {
    if (this.#text && this.#mark.parentNode !== this.box) {
      this.box.append(this.#mark);
    }
  }

  /** Where the picture has another size now, the way there may lie outside of it. */
  #jump() {
    this.#mark.style.transition = "none";
    this.#move();
    this.#mark.getBoundingClientRect();
    this.#mark.style.transition = "";
  }

  #move() {
    const time = new Date().toLocaleTimeString([], { timeStyle: "short" });
    this.#mark.textContent = `${this.#text} · ${time}`;
    const { clientWidth: width, clientHeight: height } = this.box;
    const across = place(width, this.#mark.offsetWidth);
    const down = place(height, this.#mark.offsetHeight);
    this.#mark.style.translate = `${across}px ${down}px`;
  }
}

/** Return a random place for ``size`` in ``room``, not at its very edge. */
function place(room, size) {
  const least = room * MARGIN;
  return Math.round(least + Math.random() * Math.max(0, room - size - 2 * least));
}
