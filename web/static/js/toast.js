// A sentence at the foot of the page, with a way back for ten seconds.
import { t } from "./words.js";

const MILLISECONDS = 10_000;

export function say(words, undo) {
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.append(Object.assign(document.createElement("span"), { textContent: words }));
  if (undo) {
    const button = document.createElement("button");
    button.className = "btn sec small";
    button.type = "button";
    button.textContent = t("Undo");
    button.addEventListener("click", () => {
      toast.remove();
      undo().catch((error) => say(error.message));
    });
    toast.append(button);
  }
  document.body.append(toast);
  setTimeout(() => toast.remove(), MILLISECONDS);
}
