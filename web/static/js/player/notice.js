// What the viewer is told when the film cannot go on, with a way out each time.
import { clock } from "./acts.js";

// What appliance/playback/sessions.py calls its reasons.
const STOPPED = {
  "signed-out": ["You are signed out", "Sign in again to go on watching."],
  "not-available": [
    "This film has left the library",
    "It was taken down while you were watching.",
  ],
};

export class Notice {
  constructor(box) {
    this.box = box;
    this.parts = Object.fromEntries(
      [...box.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
  }

  onRetry(act) {
    this.parts.retry.addEventListener("click", () => {
      this.box.hidden = true;
      act();
    });
  }

  /** The stream broke: say that the place is kept. */
  broken(detail, position) {
    const place = position > 1 ? ` Your place (${clock(position)}) is saved.` : "";
    this.#show({
      heading: "This film won’t play right now",
      text: `The stream stopped answering.${place}`,
      detail: `${detail} · ${new Date().toLocaleString()}`,
    });
  }

  /** The server refused to open the session. */
  refused(error) {
    this.#show({
      heading: error.heading || "This film won’t play right now",
      text: error.message,
      detail: error.code,
      signIn: error.status === 401,
      retry: error.status !== 401 && error.status !== 404,
    });
  }

  /** The server ended the session while it was playing. */
  stopped(reason, sentence) {
    const [heading, text] = STOPPED[reason] ?? ["Playback was stopped", ""];
    const signIn = reason === "signed-out";
    this.#show({
      heading,
      text: text || sentence || "Press Go on to continue where you were.",
      detail: "",
      signIn,
      retry: !signIn && reason !== "not-available",
      words: "Go on",
    });
  }

  #show({ heading, text, detail, signIn = false, retry = true, words = "Try again" }) {
    this.parts.heading.textContent = heading;
    this.parts.text.textContent = text;
    this.parts.detail.textContent = detail;
    this.parts.retry.hidden = !retry;
    this.parts.retry.querySelector("span").textContent = words;
    this.parts["sign-in"].hidden = !signIn;
    this.parts["sign-in"].href = `/login?next=${encodeURIComponent(location.pathname)}`;
    this.box.hidden = false;
    (retry ? this.parts.retry : this.box.querySelector("a:not([hidden])")).focus();
  }
}
