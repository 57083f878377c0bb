// Who watches, and when, moving slowly over the picture: what is filmed from a screen
// tells whose screen it was.

const STAY_MILLISECONDS = 20_000;
const MARGIN = 0.04;

export class Watermark {
  #mark = document.createElement("p");
  #text = "";
  #timer = 0;

  constructor(box, video) {
    this.box = box;
    this.video = video;
    this.#mark.className = "watermark";
    this.#mark.ariaHidden = "true";
    // The player lays its controls out anew now and then; a viewer may try to help.
    new MutationObserver(() => this.#stay()).observe(box, { childList: true });
    new ResizeObserver(() => this.#jump()).observe(box);
    video.addEventListener("loadedmetadata", () => this.#jump());
  }

  /** Show the mark of a session from now on, or none. */
  show(mark) {
    this.#text = mark?.text ?? "";
    clearInterval(this.#timer);
    if (this.#text) {
      this.#stay();
      this.#jump();
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
    this.#move();
  }

  #move() {
    const time = new Date().toLocaleTimeString([], { timeStyle: "short" });
    this.#mark.textContent = `${this.#text} · ${time}`;
    const { left, top, width, height } = picture(this.box, this.video);
    const across = left + place(width, this.#mark.offsetWidth);
    const down = top + place(height, this.#mark.offsetHeight);
    this.#mark.style.translate = `${across}px ${down}px`;
  }
}

/** Return where in the box the picture is: the film's own shape, in the middle. */
function picture(box, { videoWidth, videoHeight }) {
  const { clientWidth, clientHeight } = box;
  const shape = videoHeight ? videoWidth / videoHeight : clientWidth / clientHeight;
  const width = Math.min(clientWidth, clientHeight * shape);
  const height = Math.min(clientHeight, clientWidth / shape);
  return {
    left: (clientWidth - width) / 2,
    top: (clientHeight - height) / 2,
    width,
    height,
  };
}

/** Return a random place for ``size`` in ``room``, not at its very edge. */
function place(room, size) {
  const least = room * MARGIN;
  return Math.round(least + Math.random() * Math.max(0, room - size - 2 * least));
}
