// What stands over the picture when a film has ended: what to do with it, and what to
// watch next. It is drawn by the server, and asked for only then.

export class After {
  #asked = "";

  constructor(box, film) {
    Object.assign(this, { box, film });
    for (const event of ["seeking", "play", "emptied"]) {
      film.video.addEventListener(event, () => this.hide());
    }
    box.addEventListener("click", (event) => this.#press(event));
  }

  async show() {
    const { slug } = this.film.page.title;
    this.#asked = slug;
    const [response] = await Promise.all([
      fetch(`/watch/${slug}/after`).catch(() => null),
      import("../marks.js"),
    ]);
    if (!response?.ok || this.#asked !== slug || !this.film.video.ended) {
      return;
    }
    const drawn = new DOMParser().parseFromString(await response.text(), "text/html");
    this.box.replaceChildren(...drawn.body.children);
    this.box.hidden = false;
    this.film.stage.dispatchEvent(new CustomEvent("after"));
    if (!this.film.busy()) {
      this.box.querySelector("a, button")?.focus({ preventScroll: true });
    }
  }

  hide() {
    this.#asked = "";
    if (this.box.hidden) {
      return;
    }
    if (this.box.contains(document.activeElement)) {
      this.film.stage.focus({ preventScroll: true });
    }
    this.box.hidden = true;
    this.box.replaceChildren();
  }

  #press(event) {
    const again = event.target.closest("[data-again]");
    const episode = event.target.closest("[data-episode]");
    if (again) {
      event.preventDefault();
      this.film.acts.to(0);
      this.film.acts.play();
    } else if (episode && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.film.turn(episode.dataset.episode);
    }
  }
}
