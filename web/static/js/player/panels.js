// The panel beside the film: one at a time; what it holds is fetched when it is opened.
import { t } from "../words.js";

const HOLDERS = {
  transcript: () => import("./transcript.js"),
  episodes: () => import("./episodes.js"),
  style: () => import("./look.js"),
  share: () => import("./share.js"),
};

export class Panels extends EventTarget {
  #holds = "";
  #close = null;
  #from = null;

  /** ``film`` is what the panels may read and steer. */
  constructor(box, film) {
    super();
    this.box = box;
    this.film = film;
    this.name = box.querySelector("h2");
    this.body = box.querySelector("[data-part=body]");
    box.querySelector("[data-part=close]").addEventListener("click", () => this.close());
    box.addEventListener("keydown", (event) => this.#key(event));
    film.stage.addEventListener("turned", () => this.close());
  }

  /** The name of what is open; empty when nothing is. */
  get open() {
    return this.#holds;
  }

  async toggle(name) {
    if (this.#holds === name) {
      this.close();
      return;
    }
    this.#leave();
    this.#from = document.activeElement;
    const template = document.getElementById(`panel-${name}`);
    this.#show(name, template.dataset.name);
    this.body.replaceChildren(copy("panel-busy"));
    try {
      const { fill } = await HOLDERS[name]();
      const filled = await fill(template, this.film);
      if (this.#holds === name) {
        this.body.replaceChildren(filled.content);
        this.#close = filled.close;
        filled.ready?.();
        this.#focus(filled.focus);
      }
    } catch (error) {
      this.#complain(name, error);
    }
  }

  close() {
    if (!this.#holds) {
      return;
    }
    const held = this.box.contains(document.activeElement);
    this.#leave();
    this.#show("");
    if (held) {
      // What has no focus gives none back: keys would go to a field that is gone.
      const from = this.#from === document.body ? null : this.#from;
      const back = from?.isConnected && from.checkVisibility();
      (back ? from : this.film.stage).focus({ preventScroll: true });
    }
  }

  #show(name, words = "") {
    this.#holds = name;
    this.name.textContent = words;
    this.box.hidden = !name;
    this.box.dataset.holds = name;
    this.dispatchEvent(new Event("change"));
  }

  #leave() {
    this.#close?.();
    this.#close = null;
  }

  #focus(element) {
    const target = element ?? this.body.querySelector("a, button, input, select");
    (target ?? this.box.querySelector("button")).focus({ preventScroll: true });
  }

  #complain(name, error) {
    if (this.#holds !== name) {
      return;
    }
    const said = copy("panel-problem");
    said.querySelector("span").textContent =
      error.name === "Refused" ? error.message : t("The server can’t be reached. Try again.");
    this.body.replaceChildren(said);
    this.#focus();
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }
}

function copy(name) {
  return document.getElementById(name).content.cloneNode(true);
}
