// How this profile likes to watch: read from the page, kept by the server, so that the
// next film and another device begin with it.
import { call } from "../api.js";

const PATIENCE_MILLISECONDS = 500;

export class Preferences extends EventTarget {
  #unsaved = {};
  #timer = 0;

  constructor(values) {
    super();
    this.values = values;
    window.addEventListener("pagehide", () => this.#save(true));
  }

  /** Keep what changed; what is as it was costs nothing. */
  keep(changes) {
    const fresh = Object.entries(changes).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(this.values[name]),
    );
    if (!fresh.length) {
      return;
    }
    const changed = Object.fromEntries(fresh);
    Object.assign(this.values, changed);
    Object.assign(this.#unsaved, changed);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), PATIENCE_MILLISECONDS);
    this.dispatchEvent(new Event("change"));
  }

  async #save(leaving = false) {
    clearTimeout(this.#timer);
    const changes = this.#unsaved;
    this.#unsaved = {};
    if (!Object.keys(changes).length) {
      return;
    }
    try {
      await call("PATCH", "/api/v1/profile/preferences", changes, {
        keepalive: leaving,
      });
    } catch {
      // This film has them; they are told again with the next change.
      this.#unsaved = { ...changes, ...this.#unsaved };
    }
  }
}
