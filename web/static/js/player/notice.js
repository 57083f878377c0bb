// What the viewer is told when the film cannot go on, with a way out each time.

import { t } from "../words.js";

// The button of each way out; the link back is always there.
const RETRY = { again: t("Try again"), "go-on": t("Go on") };

export class Notice {
  constructor(box) {
    this.box = box;
    this.parts = Object.fromEntries(
      [...box.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
  }

  get shown() {
    return !this.box.hidden;
  }

  onRetry(act) {
    this.parts.retry.addEventListener("click", () => {
      this.hide();
      act();
    });
  }

  hide() {
    this.box.hidden = true;
  }

  /** Show words of words.js. */
  show({ heading, text, detail = "", way }) {
    const { parts } = this;
    parts.heading.textContent = heading;
    parts.text.textContent = text;
    parts.detail.textContent = detail;
    parts.retry.hidden = !(way in RETRY);
    parts.retry.querySelector("span").textContent = RETRY[way] ?? "";
    parts["sign-in"].hidden = way !== "sign-in";
    parts["sign-in"].href = `/login?next=${encodeURIComponent(location.pathname)}`;
    this.box.hidden = false;
    const out = { "sign-in": parts["sign-in"], back: parts.back };
    (out[way] ?? parts.retry).focus();
  }
}
