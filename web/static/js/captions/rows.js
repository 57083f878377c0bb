// The list of cues on the page: one row each, kept as long as its cue is.
import { read, written } from "./cues.js";

export class Rows {
  #rows = new Map();
  #chosen = 0;
  #playing = new Set();

  /** ``acts`` is told what is typed: onText, onTime, onDone, onPlay, onChoose. */
  constructor(box, template, marks, acts) {
    this.box = box;
    this.template = template;
    this.marks = marks;
    this.acts = acts;
    box.addEventListener("focusin", ({ target }) => this.choose(idOf(target)));
    box.addEventListener("click", (event) => this.#clicked(event));
    box.addEventListener("input", (event) => this.#typed(event));
    box.addEventListener("change", () => acts.onDone());
  }

  get chosen() {
    return this.#chosen;
  }

  /** Whether somebody is writing in the list. */
  get busy() {
    return this.box.contains(document.activeElement);
  }

  /** Whether a time is written that is none. */
  get invalid() {
    return this.box.querySelector("[aria-invalid]");
  }

  /** Make the list show these cues; rows of cues that stay are left where they are. */
  show(cues) {
    const wanted = new Set(cues.map((cue) => cue.id));
    for (const [id, row] of this.#rows) {
      if (!wanted.has(id)) {
        row.element.remove();
        this.#rows.delete(id);
      }
    }
    let before = null;
    cues.forEach((cue, number) => {
      const row = this.#rows.get(cue.id) ?? this.#made(cue);
      const place = before ? before.nextSibling : this.box.firstChild;
      if (row.element !== place) {
        this.box.insertBefore(row.element, place);
      }
      if (row.cue !== cue || row.number !== number) {
        Object.assign(row, { cue, number });
        fill(row, cue, number + 1);
      }
      before = row.element;
    });
    if (!wanted.has(this.#chosen)) {
      this.choose(cues[0]?.id ?? 0);
    }
  }

  choose(id) {
    if (!id || id === this.#chosen) {
      return;
    }
    this.#rows.get(this.#chosen)?.element.classList.remove("chosen");
    this.#chosen = id;
    this.#rows.get(id)?.element.classList.add("chosen");
  }

  /** Put the cursor into the text of a cue; return where it was before. */
  focus(id, part = "text") {
    const row = this.#rows.get(id);
    row?.[part].focus({ preventScroll: true });
    row?.element.scrollIntoView({ block: "nearest" });
  }

  /** Return where the cursor is in the text of a cue; -1 when it is elsewhere. */
  cursor(id) {
    const text = this.#rows.get(id)?.text;
    return text === document.activeElement ? text.selectionStart : -1;
  }

  /** Show which cues are heard now, and bring the first into view. */
  playing(ids, follow) {
    if (ids.length === this.#playing.size && ids.every((id) => this.#playing.has(id))) {
      return;
    }
    for (const id of this.#playing) {
      this.#rows.get(id)?.element.classList.remove("playing");
    }
    this.#playing = new Set(ids);
    for (const id of ids) {
      this.#rows.get(id)?.element.classList.add("playing");
    }
    if (follow && ids.length && !this.busy) {
      this.#rows.get(ids[0])?.element.scrollIntoView({ block: "nearest" });
    }
  }

  /** Show what is to be mended; ``found`` has sentences by the cue's id. */
  mark(found) {
    for (const [id, row] of this.#rows) {
      const said = found.get(id) ?? [];
      const key = JSON.stringify(said);
      if (key !== row.marked) {
        row.marked = key;
        row.marks.replaceChildren(...said.map((each) => this.#mark(each)));
      }
    }
  }

  #made(cue) {
    const element = this.template.content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(`[data-part="${name}"]`);
    element.dataset.cue = cue.id;
    const row = {
      element,
      start: part("start"),
      end: part("end"),
      text: part("text"),
      marks: part("marks"),
      marked: "[]",
      cue: null,
      number: -1,
      play: element.querySelector("[data-act=play]"),
    };
    this.#rows.set(cue.id, row);
    return row;
  }

  #mark({ level, sentence }) {
    const mark = document.createElement("span");
    mark.className = level;
    mark.append(this.marks[level].content.cloneNode(true), sentence);
    return mark;
  }

  #clicked(event) {
    const id = idOf(event.target);
    if (id) {
      this.choose(id);
    }
    if (id && event.target.closest("[data-act=play]")) {
      this.acts.onPlay(id);
    }
  }

  #typed({ target }) {
    const [id, part] = [idOf(target), target.dataset.part];
    if (part === "text") {
      this.acts.onText(id, target.value);
      return;
    }
    const time = read(target.value);
    if (time === null) {
      target.setAttribute("aria-invalid", "true");
      return;
    }
    target.removeAttribute("aria-invalid");
    this.acts.onTime(id, part, time);
  }
}

function fill(row, cue, number) {
  row.element.setAttribute("aria-label", `Cue ${number}`);
  row.play.setAttribute("aria-label", `Play cue ${number}`);
  put(row.text, cue.text);
  for (const part of ["start", "end"]) {
    if (row[part] !== document.activeElement) {
      row[part].removeAttribute("aria-invalid");
    }
    if (read(row[part].value) !== cue[part]) {
      put(row[part], written(cue[part]));
    }
  }
}

/** Change what a field shows; what somebody just writes stays where the cursor is. */
function put(field, value) {
  if (field.value !== value) {
    field.value = value;
  }
}

function idOf(target) {
  return Number(target.closest("[data-cue]")?.dataset.cue ?? 0);
}
