// The dialog of what else this account plays, when there is no room for one more.
import { call, Refused } from "../api.js";
import { t } from "../words.js";

export class Others {
  #ways = { again() {}, leave() {} };

  constructor(dialog, line) {
    this.dialog = dialog;
    this.line = line;
    this.parts = parts(dialog);
    this.parts.again.addEventListener("click", () => this.#again());
    dialog.addEventListener("cancel", () => this.#ways.leave());
  }

  /** List the streams of a refusal; ``again`` tries anew, ``leave`` gives up. */
  ask({ detail, active = [] }, ways) {
    this.#ways = ways;
    this.parts.text.textContent = detail;
    this.parts.problem.hidden = true;
    this.parts.list.replaceChildren(...active.map((each) => this.#row(each)));
    if (!this.dialog.open) {
      this.dialog.showModal();
    }
    (this.parts.list.querySelector("button") ?? this.parts.again).focus();
  }

  #row(stream) {
    const row = this.line.content.cloneNode(true).firstElementChild;
    const { name, where, stop, film } = parts(row);
    name.textContent = stream.name;
    where.textContent = described(stream);
    film.textContent = ` ${stream.name}`;
    stop.addEventListener("click", () => this.#stop(stream, stop));
    return row;
  }

  async #stop({ session }, button) {
    button.disabled = true;
    try {
      await call("POST", `/api/v1/playback/${session}/stop`);
    } catch (error) {
      // One that has ended by itself meanwhile is as good as stopped.
      if (error.status !== 404) {
        button.disabled = false;
        this.#complain(error);
        return;
      }
    }
    this.#again();
  }

  #complain(error) {
    const known = error instanceof Refused;
    const words = known ? error.message : t("The server can’t be reached. Try again.");
    this.parts.problem.querySelector("span").textContent = words;
    this.parts.problem.hidden = false;
  }

  #again() {
    this.dialog.close();
    this.#ways.again();
  }
}

function parts(element) {
  const found = [...element.querySelectorAll("[data-part]")];
  return Object.fromEntries(found.map((part) => [part.dataset.part, part]));
}

function described({ device, quality, started_at: started, here }) {
  const where = here ? t("this browser") : device;
  return [where, quality, t("since {time}", { time: since(new Date(started)) })].filter(Boolean).join(" · ");
}

function since(moment) {
  const today = new Date().toDateString() === moment.toDateString();
  return today
    ? moment.toLocaleTimeString([], { timeStyle: "short" })
    : moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
