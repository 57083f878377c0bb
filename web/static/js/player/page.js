// What the page shows around the film, and how it turns to another film without being
// loaded anew: names, ways back, the address, the picture before the film.
import { call } from "../api.js";
import { t } from "../words.js";

export class Page {
  constructor(stage, video) {
    Object.assign(this, JSON.parse(stage.dataset.told));
    this.stage = stage;
    this.video = video;
    this.onTv = stage.dataset.mode === "tv";
    this.site = document.title.slice(this.title.name.length);
  }

  get title() {
    return this.around.title;
  }

  get whole() {
    return this.around.whole;
  }

  get next() {
    return this.around.next;
  }

  get previous() {
    return this.around.previous;
  }

  /** Where to go from here: the page of the series, or that of the film. */
  get home() {
    return this.whole ?? this.title;
  }

  /** Turn to another film; the page then says and leads to what belongs to it. */
  async turn(slug) {
    this.around = await call("GET", `/api/v1/titles/${slug}/around`);
    const format = new URLSearchParams(location.search).get("format");
    const search = format ? `?format=${format}` : "";
    history.replaceState(null, "", `/watch/${this.title.slug}${search}`);
    document.title = this.title.name + this.site;
    this.#say();
    this.stage.dispatchEvent(new CustomEvent("turned"));
  }

  #say() {
    const { title, whole, home } = this;
    const part = this.#shown("part");
    this.#shown("name").textContent = title.name;
    part.textContent = [whole?.name, title.label].filter(Boolean).join(" · ");
    part.hidden = !whole;
    const words = t("Back to {name}", { name: home.name });
    for (const way of document.querySelectorAll("[data-way-back]")) {
      way.href = `/title/${home.slug}`;
      if (way.dataset.wayBack === "named") {
        way.textContent = words;
      } else {
        way.ariaLabel = words;
      }
    }
    this.video.poster = title.art ? `/artwork/${title.art}/1280.jpg` : "";
  }

  #shown(what) {
    return this.stage.querySelector(`[data-shows="${what}"]`);
  }
}
