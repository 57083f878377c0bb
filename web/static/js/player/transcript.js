// What is said, to be read, searched and jumped to, beside the film.
import { call } from "../api.js";
import { t, tn } from "../words.js";
import { clock } from "./acts.js";

const FOLD = /\p{Diacritic}/gu;

export async function fill(template, film) {
  const content = template.content.cloneNode(true);
  const box = content.firstElementChild;
  const transcript = new Transcript(box, film);
  await transcript.load(film.captions() || film.preferences.values.captions);
  return {
    content,
    ready: () => transcript.follow(),
    close: () => transcript.close(),
    // On a television a field brings up a keyboard that hides the film.
    focus: film.onTv ? transcript.current : box.querySelector("input"),
  };
}

class Transcript {
  #lines = [];
  #now = -1;
  #follows = true;
  #found = [];
  #at = -1;
  #until = new AbortController();

  constructor(box, film) {
    Object.assign(this, { box, film });
    this.parts = Object.fromEntries(
      [...box.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
    this.words = box.querySelector("input");
    this.language = box.querySelector("select");
    this.#listen();
  }

  async load(language) {
    const query = new URLSearchParams({ language: language === "off" ? "" : language });
    const path = `/api/v1/titles/${this.film.page.title.slug}/transcript?${query}`;
    const told = await call("GET", path);
    this.parts.lines.lang = told.language;
    this.parts.lines.dir = "auto";
    this.parts.auto.hidden = !told.auto;
    this.#offer(told);
    this.#now = -1;
    this.#lines = told.cues.map((cue) => ({ ...cue, plain: folded(cue.text) }));
    this.parts.lines.replaceChildren(...this.#lines.map((line) => this.#row(line)));
    this.#search();
  }

  /** The line that is said now. */
  get current() {
    const now = this.film.video.currentTime + 0.05;
    return this.#lines.findLast(({ start }) => start <= now)?.button;
  }

  follow() {
    this.#follows = true;
    this.parts.follow.hidden = true;
    this.#look();
    const line = this.#lines[this.#now];
    if (line) {
      this.#reveal(line.button);
    }
  }

  close() {
    this.#until.abort();
  }

  #listen() {
    const { signal } = this.#until;
    const { lines, follow, before } = this.parts;
    this.film.video.addEventListener("timeupdate", () => this.#look(), { signal });
    this.film.video.addEventListener("seeked", () => this.#look(), { signal });
    lines.addEventListener("click", (event) => this.#jump(event));
    for (const event of ["wheel", "touchmove"]) {
      lines.addEventListener(event, () => this.#wander(), { passive: true });
    }
    follow.addEventListener("click", () => this.follow());
    before.addEventListener("click", () => this.#step(-1));
    this.words.addEventListener("input", () => this.#search());
    this.words.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#step(1);
    });
    this.language.addEventListener("change", () => this.load(this.language.value));
  }

  #offer({ languages, language }) {
    const options = languages.map((each) => new Option(each.label, each.language));
    this.language.replaceChildren(...options);
    this.language.value = language;
    this.language.closest("label").hidden = languages.length < 2;
  }

  #row(line) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const time = document.createElement("span");
    time.className = "time";
    time.dir = "ltr";
    time.textContent = clock(line.start);
    const text = document.createElement("span");
    text.textContent = line.text;
    button.append(time, " ", text);
    row.append(button);
    line.button = button;
    line.shown = text;
    return row;
  }

  #jump(event) {
    const button = event.target.closest("button");
    const line = this.#lines.find((each) => each.button === button);
    if (line) {
      this.film.seek(line.start);
      this.follow();
    }
  }

  /** Mark the line that is said now, and keep it in sight. */
  #look() {
    const now = this.film.video.currentTime + 0.05;
    const at = this.#lines.findLastIndex(({ start }) => start <= now);
    if (at === this.#now) {
      return;
    }
    this.#lines[this.#now]?.button.removeAttribute("aria-current");
    this.#now = at;
    const line = this.#lines[at];
    line?.button.setAttribute("aria-current", "true");
    // Who reads or searches elsewhere is left there.
    const reading = this.parts.lines.contains(document.activeElement);
    if (line && this.#follows && !reading) {
      this.#reveal(line.button);
    }
  }

  #wander() {
    this.#follows = false;
    this.parts.follow.hidden = false;
  }

  #reveal(button) {
    const { lines } = this.parts;
    const top = button.offsetTop - lines.offsetTop - lines.clientHeight / 3;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    lines.scrollTo({ top, behavior: calm ? "instant" : "smooth" });
  }

  #search() {
    const wanted = folded(this.words.value.trim());
    this.#found = [];
    this.#at = -1;
    for (const line of this.#lines) {
      const places = wanted ? placesOf(line.plain, wanted) : [];
      mark(line, places, wanted.length);
      if (places.length) {
        this.#found.push(line);
      }
    }
    const count = this.#found.length;
    this.parts.found.textContent = !wanted
      ? ""
      : count
        ? tn("{n} place", "{n} places", count)
        : t("Not said in this video");
    if (count) {
      this.#wander();
      this.#reveal(this.#found[0].button);
    } else if (!wanted) {
      this.follow();
    }
  }

  /** Go to the next place that was found, or the one before; the film goes there too. */
  #step(direction) {
    const count = this.#found.length;
    if (!count) {
      return;
    }
    const from = this.#at < 0 && direction < 0 ? 0 : this.#at;
    this.#at = (from + direction + count) % count;
    const line = this.#found[this.#at];
    this.parts.found.textContent = t("{n} of {all} · {time}", {
      n: this.#at + 1,
      all: count,
      time: clock(line.start),
    });
    this.film.seek(line.start);
    this.#reveal(line.button);
  }
}

/** Fold case and accents, letter by letter, so that places stay where they are. */
function folded(text) {
  return [...text]
    .map((letter) => {
      const plain = letter.normalize("NFD").replace(FOLD, "").toLowerCase();
      return plain.length === letter.length ? plain : letter;
    })
    .join("");
}

function placesOf(text, wanted) {
  const places = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    places.push(at);
  }
  return places;
}

function mark({ shown, text }, places, length) {
  if (!places.length) {
    shown.textContent = text;
    return;
  }
  const parts = [];
  let from = 0;
  for (const at of places.filter((each, index) => !index || each >= places[index - 1] + length)) {
    const found = document.createElement("mark");
    found.textContent = text.slice(at, at + length);
    parts.push(text.slice(from, at), found);
    from = at + length;
  }
  shown.replaceChildren(...parts, text.slice(from));
}
