// The editor of captions: the film, its cues, and what is kept of them.
import { call } from "../api.js";
import { Cues, written } from "./cues.js";
import { Film } from "./film.js";
import { onKeys } from "./keys.js";
import { Preview } from "./preview.js";
import { Rows } from "./rows.js";
import { Saving } from "./saving.js";

const CHECK_PAUSE = 700;

const page = document.getElementById("editor");
const byId = (id) => document.getElementById(id);
const video = byId("video");

start();

async function start() {
  page.hidden = false;
  const saving = new Saving(page, byId("problem"));
  const film = new Film(video, {
    title: page.dataset.title,
    device: page.dataset.device,
    tell: (sentence) => say(byId("film-problem"), sentence),
  });
  film.open();
  let found;
  try {
    found = await call("GET", page.dataset.cues);
  } catch (error) {
    saving.tell(`The captions can’t be loaded: ${error.message}`);
    return;
  }
  new Editor(found, film, saving);
}

class Editor {
  #timer = 0;
  #findings = [];

  constructor(found, film, saving) {
    this.cues = new Cues(found.cues);
    this.film = film;
    this.saving = saving;
    this.preview = new Preview(byId("preview"));
    this.rows = new Rows(byId("cues"), byId("cue"), this.#marks(), {
      onText: (id, text) => this.#typed(id, { text, unsure: false }),
      onTime: (id, part, time) => this.#typed(id, { [part]: time }),
      onDone: () => this.#done(),
      onPlay: (id) => this.play(id),
    });
    saving.begin(found.version, this.cues.list);
    this.#show();
    this.#found(found.findings);
    this.#listen();
    this.#run();
  }

  // What can be done, by the names on buttons and keys.

  save(over = false) {
    if (this.rows.invalid) {
      this.rows.invalid.focus();
      this.saving.tell("This is no time: write it as 1:02.5 or 00:01:02.500.");
      return;
    }
    this.#done();
    this.saving.save(this.cues, over, {
      onKept: (answer) => this.#kept(answer),
      onCue: (number) => this.rows.focus(this.cues.list[number - 1]?.id),
    });
  }

  play(id = this.rows.chosen) {
    const cue = this.cues.of(id);
    if (cue) {
      this.film.play(cue.start);
    }
  }

  toggle() {
    this.film.toggle();
  }

  begin() {
    this.#place("start");
  }

  end() {
    this.#place("end");
  }

  split() {
    const id = this.rows.chosen;
    if (this.cues.of(id)) {
      const at = this.cues.split(id, this.rows.cursor(id), this.film.now);
      this.#changed(at);
    }
  }

  join() {
    const id = this.rows.chosen;
    if (this.cues.of(id) && this.cues.join(id)) {
      this.#changed(id);
    }
  }

  insert() {
    this.#changed(this.cues.insert(this.film.now));
  }

  remove() {
    const number = this.cues.number(this.rows.chosen);
    if (number >= 0) {
      this.cues.remove(this.rows.chosen);
      this.#changed(this.cues.list[Math.min(number, this.cues.list.length - 1)]?.id);
    }
  }

  undo() {
    if (this.cues.undo()) {
      this.#changed(this.rows.chosen);
    }
  }

  step(by) {
    const next = this.cues.list[this.cues.number(this.rows.chosen) + by];
    if (next) {
      this.rows.focus(next.id);
    }
  }

  /** Go to the next cue with a mark, or that a machine was not sure of. */
  doubt() {
    const marked = this.#doubtful();
    this.#next((cue) => marked.has(cue.id));
  }

  find(words) {
    const wanted = words.trim().toLowerCase();
    if (wanted && !this.#next((cue) => cue.text.toLowerCase().includes(wanted))) {
      this.saving.tell(`“${words}” is in none of the cues.`);
    }
  }

  shift(seconds, from) {
    const number = from === "here" ? Math.max(0, this.cues.number(this.rows.chosen)) : 0;
    this.cues.shift(Math.round(seconds * 1000), number);
    this.#changed();
  }

  help() {
    byId("keys").showModal();
  }

  #next(fits) {
    const { list } = this.cues;
    const from = this.cues.number(this.rows.chosen) + 1;
    const cue = [...list.slice(from), ...list.slice(0, from)].find(fits);
    if (cue) {
      this.rows.focus(cue.id);
    }
    return Boolean(cue);
  }

  #place(part) {
    const cue = this.cues.of(this.rows.chosen);
    if (cue) {
      this.cues.change(cue.id, { [part]: this.film.now });
      this.cues.remember();
      this.#changed(cue.id);
    }
  }

  #typed(id, changes) {
    this.cues.change(id, changes);
    this.#touched();
  }

  #done() {
    this.cues.remember();
    this.#show();
    this.#touched();
  }

  #changed(id) {
    this.#show();
    this.#touched();
    if (id) {
      this.rows.choose(id);
      this.rows.focus(id);
    }
  }

  #touched() {
    this.saving.changed(this.cues.list);
    this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), CHECK_PAUSE);
  }

  #show() {
    this.rows.show(this.cues.list);
  }

  /** Take what the server made of it, where nothing was written since. */
  #kept(answer) {
    const { list } = this.cues;
    if (answer.cues.length === list.length) {
      answer.cues.forEach(([, , text, settings], number) => {
        const cue = list[number];
        if (cue.text !== text || cue.settings !== settings) {
          this.cues.change(cue.id, { text, settings });
        }
      });
      this.#show();
      this.saving.begin(answer.version, this.cues.list);
    }
    this.#found(answer.findings);
  }

  async #check() {
    const { list } = this.cues;
    try {
      const answer = await call("POST", page.dataset.check, { cues: this.cues.rows() });
      if (list === this.cues.list) {
        this.#found(answer.findings);
      }
    } catch {
      // A cue that is half written, or no network: saving says what it is.
    }
  }

  #found(findings) {
    this.#findings = findings;
    const byCue = new Map();
    const add = (id, mark) => byCue.set(id, [...(byCue.get(id) ?? []), mark]);
    for (const cue of this.cues.list.filter((each) => each.unsure)) {
      add(cue.id, { level: "warning", sentence: "The machine was not sure of this." });
    }
    for (const { cue, level, sentence } of findings) {
      const id = this.cues.list[cue - 1]?.id;
      add(id, { level, sentence });
    }
    this.rows.mark(byCue);
    const count = this.#doubtful().size;
    const button = byId("doubts");
    button.disabled = !count;
    button.querySelector("span").textContent = count
      ? `Next of ${count} to look at`
      : "Nothing to mend";
  }

  #doubtful() {
    const unsure = this.cues.list.filter((cue) => cue.unsure).map((cue) => cue.id);
    const marked = this.#findings.map(({ cue }) => this.cues.list[cue - 1]?.id);
    return new Set([...unsure, ...marked]);
  }

  #marks() {
    return { warning: byId("mark-warning"), error: byId("mark-error") };
  }

  #listen() {
    page.addEventListener("click", ({ target }) => {
      const act = target.closest("[data-act]")?.dataset.act;
      if (act === "over") {
        this.save(true);
      } else if (act && act !== "play") {
        this[act]();
      }
    });
    // A button must not take the cursor out of the text that it works on.
    page.querySelector(".tools .actions").addEventListener("mousedown", (event) => {
      if (event.target.closest("button")) {
        event.preventDefault();
      }
    });
    byId("shifting").addEventListener("submit", (event) => {
      event.preventDefault();
      const seconds = Number(event.target.by.value.replace(",", "."));
      if (Number.isFinite(seconds)) {
        this.shift(seconds, event.submitter?.value);
      } else {
        this.saving.tell("Shift by seconds, such as 1.5 or -0.3.");
      }
    });
    byId("finding").addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(event.target.words.value);
    });
    onKeys(this);
  }

  #run() {
    const draw = () => {
      this.#draw();
      requestAnimationFrame(draw);
    };
    draw();
  }

  #draw() {
    const { now } = this.film;
    const shown = this.cues.at(now);
    byId("now").textContent = written(now);
    this.preview.show(shown);
    const follow = byId("follow").checked && !video.paused;
    this.rows.playing(
      shown.map((cue) => cue.id),
      follow,
    );
  }
}

function say(box, sentence) {
  box.querySelector("span").textContent = sentence;
  box.hidden = false;
}
