// Keeping what was written, and never over what somebody else wrote meanwhile.
import { call } from "../api.js";

const CONFLICT = "captions.changed";

export class Saving {
  #version = "";
  #theirs = "";
  #kept = null;
  #now = null;
  #saving = false;

  constructor(page, problem) {
    this.url = page.dataset.save;
    this.button = page.querySelector("[data-act=save]");
    this.said = this.button.querySelector("[data-said]");
    this.problem = problem;
    addEventListener("beforeunload", (event) => this.#dirty && event.preventDefault());
  }

  get #dirty() {
    return this.#now !== this.#kept;
  }

  /** Begin with a version and its list of cues. */
  begin(version, list) {
    this.#version = version;
    this.#kept = this.#now = list;
    for (const field of document.querySelectorAll("[data-version]")) {
      field.value = version;
    }
    this.#show();
  }

  changed(list) {
    this.#now = list;
    this.#show();
  }

  /** Say what went wrong; nothing that was written is touched. */
  tell(sentence, { conflict = false } = {}) {
    this.problem.hidden = !sentence;
    this.problem.querySelector("span").textContent = sentence;
    this.problem.querySelector("[data-part=theirs]").hidden = !conflict;
    this.problem.querySelector("[data-act=over]").hidden = !conflict;
  }

  /** Keep the cues; ``over`` puts them over what somebody else has saved. */
  async save(cues, over, { onKept, onCue }) {
    if (this.#saving) {
      return;
    }
    const sent = cues.list;
    const version = over ? this.#theirs : this.#version;
    this.#saving = true;
    // What was wrong before must not stand beside what is well now.
    this.tell("");
    this.#show();
    try {
      const answer = await call("POST", this.url, { version, cues: cues.rows() });
      const unchanged = sent === cues.list;
      this.begin(answer.version, sent);
      this.changed(cues.list);
      if (unchanged) {
        onKept(answer);
      }
    } catch (error) {
      this.#refused(error, onCue);
    } finally {
      this.#saving = false;
      this.#show();
    }
  }

  #refused(error, onCue) {
    const conflict = error.code === CONFLICT;
    this.#theirs = error.problem?.version ?? "";
    const sentence = error.code
      ? error.message
      : "Not saved: the server can’t be reached. What you wrote is still here.";
    this.tell(sentence, { conflict });
    if (error.problem?.cue) {
      onCue(error.problem.cue);
    }
  }

  #show() {
    this.button.disabled = this.#saving || !this.#dirty;
    this.said.textContent = this.#saving ? "Saving" : this.#dirty ? "Save" : "Saved";
  }
}
