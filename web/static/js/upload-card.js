// One upload on the page: its bar, its buttons, and what became of it.
import { send } from "./studio-autosave.js";
import { size, time } from "./upload-figures.js";

const WORDS = {
  line: "Waiting its turn",
  sending: "Uploading",
  paused: "Paused",
  waiting: "Reconnecting",
  stopped: "Stopped",
  lost: "Lost",
  arrived: "Checking",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
  processing: "Processing",
  done: "Ready",
  failed: "Failed",
};
const KINDS = {
  line: "idle",
  paused: "idle",
  cancelled: "idle",
  waiting: "warn",
  interrupted: "warn",
  stopped: "bad",
  lost: "bad",
  done: "ok",
  failed: "bad",
};
const OVER = new Set(["arrived", "processing", "cancelled", "lost", "done", "failed"]);

export class Card {
  #token;
  #ended;
  #transfer = null;
  #whole = false;
  #state;

  constructor(element, { token, ended }) {
    this.element = element;
    this.#token = token;
    this.#ended = ended;
    this.#state = element.dataset.upload ? element.dataset.state : "line";
    this.#on("pause", () => this.#pause());
    this.#on("resume", () => this.#resume());
    this.#on("cancel", () => this.#cancel());
    element.addEventListener("jobstate", (event) => this.#processed(event.detail.state));
    this.#part("wish")?.addEventListener("change", () => this.#wish());
    this.#part("choose").addEventListener("change", (event) => this.#chosen(event.target));
    this.#show();
    if (this.#state === "arrived") this.#settle();
  }

  get busy() {
    return Boolean(this.#transfer?.active) || this.inLine;
  }

  get sending() {
    return Boolean(this.#transfer?.active);
  }

  get inLine() {
    return this.#state === "line" && this.#transfer !== null;
  }

  get waitsForFile() {
    return this.#state === "interrupted";
  }

  matches(file) {
    const { filename, bytes, modified } = this.element.dataset;
    return (
      filename === file.name &&
      Number(bytes) === file.size &&
      (!modified || Number(modified) === file.lastModified)
    );
  }

  // Take charge of a transfer; it starts when it is this card's turn.
  carry(transfer) {
    this.#transfer = transfer;
    transfer.addEventListener("named", (event) => {
      this.element.dataset.url = event.detail.url;
      this.element.dataset.upload = event.detail.url.split("/").pop();
      if (this.#part("wish")?.checked) this.#wish();
    });
    transfer.addEventListener("progress", (event) => this.#figures(event.detail));
    transfer.addEventListener("state", (event) => this.#heard(event.detail));
    this.#move("line");
  }

  go() {
    this.#transfer.start();
  }

  // The network is back: do not sit out the rest of the half minute.
  backOnline() {
    if (this.#state === "waiting") this.#transfer.retryNow();
  }

  #heard({ state, problem }) {
    this.#move(state, problem);
    if (state === "arrived") this.#settle();
    if (!this.sending) this.#ended();
  }

  #pause() {
    if (this.inLine) this.#move("paused");
    else this.#transfer.pause();
    this.#part("resume").focus();
  }

  #resume() {
    if (this.#whole) this.#settle();
    else this.#transfer.start();
    this.#part("pause").focus();
  }

  async #cancel() {
    const name = this.element.dataset.filename;
    if (!confirm(`Stop uploading “${name}” and remove what has arrived?`)) return;
    try {
      if (this.#transfer) await this.#transfer.cancel();
      else await this.#remove();
      this.#transfer = null;
      this.#move("cancelled");
    } catch {
      this.#move("stopped", "The upload could not be removed now. Try again in a moment.");
    }
    this.#ended();
  }

  // Remove an upload whose file this page does not hold.
  async #remove() {
    const response = await fetch(this.element.dataset.url, {
      method: "DELETE",
      headers: { "X-CSRFToken": this.#token, "Tus-Resumable": "1.0.0" },
    });
    if (!response.ok && response.status !== 404) throw new Error("not removed");
  }

  // Every byte is there: ask the server what it made of the film, and show its job.
  async #settle() {
    this.#whole = true;
    this.#move("arrived");
    this.#part("bar").removeAttribute("value");
    const answer = await this.#outcome();
    this.#part("bar").value = Number(this.element.dataset.bytes);
    if (answer.problem) {
      this.#move("stopped", answer.problem);
      return;
    }
    this.#move("processing");
    this.#part("figures").textContent = size(Number(this.element.dataset.bytes));
    const place = this.#part("progress");
    place.innerHTML = answer.html;
    const element = place.querySelector("[data-job]");
    this.element.dispatchEvent(new CustomEvent("job", { detail: { element } }));
  }

  #processed(state) {
    if (state in WORDS) this.#move(state);
    else this.#move("processing");
  }

  async #outcome() {
    try {
      const response = await fetch(`${this.element.dataset.url}/outcome`, {
        method: "POST",
        headers: { "X-CSRFToken": this.#token, Accept: "application/json" },
      });
      const body = await response.json();
      return response.ok ? body : { problem: body.detail };
    } catch {
      return { problem: "The film has arrived, but the server can’t be reached. Try again." };
    }
  }

  // Keep the wish to publish; before the upload has a name, it waits in its box.
  async #wish() {
    if (!this.element.dataset.url) return;
    const data = this.#part("wish").checked ? { publish: "1" } : {};
    const answer = await send(`${this.element.dataset.url}/publish`, data);
    this.#part("saved").textContent = answer.problem ?? "Saved";
  }

  #chosen(input) {
    const [file] = input.files;
    if (file && this.matches(file)) {
      this.element.dispatchEvent(new CustomEvent("chosen", { detail: { files: [file] } }));
    } else if (file) {
      const { filename, bytes } = this.element.dataset;
      this.#move(
        "interrupted",
        `That is another file. Choose the same “${filename}” (${size(Number(bytes))}) to go on, or upload this one as a new film above.`,
      );
    }
    input.value = "";
  }

  #figures({ sent, total, speed, left }) {
    const bar = this.#part("bar");
    bar.max = total;
    bar.value = sent;
    bar.textContent = `${Math.floor((100 * sent) / total)} %`;
    this.#part("figures").textContent = [
      `${size(sent)} of ${size(total)}`,
      speed && `${size(speed)}/s`,
      left !== null && Number.isFinite(left) && `${time(left)} left`,
    ]
      .filter(Boolean)
      .join(" · ");
  }

  #move(state, problem = "") {
    this.#state = state;
    this.element.dataset.state = state;
    const note = this.#part("problem");
    note.querySelector("span").textContent = problem;
    note.hidden = !problem;
    this.#show();
  }

  #show() {
    const state = this.#state;
    const badge = this.#part("status");
    if (badge.lastElementChild.textContent !== WORDS[state]) {
      badge.lastElementChild.textContent = WORDS[state];
      badge.className = `st ${KINDS[state] ?? "info"}`;
    }
    const known = this.#whole || this.#transfer !== null;
    this.#part("pause").hidden = !["line", "sending", "waiting"].includes(state);
    this.#part("resume").hidden = !(["paused", "stopped"].includes(state) && known);
    this.#part("cancel").hidden = OVER.has(state);
    this.#part("again").hidden = !(state === "interrupted" || (state === "stopped" && !known));
    this.#part("hint").hidden = state !== "interrupted";
  }

  #on(name, act) {
    this.#part(name).addEventListener("click", act);
  }

  #part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }
}
