// Rows of cards: buttons that scroll them, and taking a card out of a row with undo.
import { call } from "./api.js";

const UNDO_MILLISECONDS = 10_000;

for (const rail of document.querySelectorAll(".rail")) {
  scrollable(rail);
}
for (const form of document.querySelectorAll(".hide-card")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    hide(form);
  });
}

function scrollable(rail) {
  const list = rail.querySelector("ul");
  const steps = [...rail.querySelectorAll(".step")];
  const update = () => {
    const room = list.scrollWidth - list.clientWidth;
    steps[0].hidden = list.scrollLeft < 8;
    steps[1].hidden = list.scrollLeft > room - 8;
  };
  steps.forEach((step, index) => {
    step.addEventListener("click", () => {
      const distance = list.clientWidth * 0.85 * (index ? 1 : -1);
      list.scrollBy({ left: distance, behavior: calm() ? "auto" : "smooth" });
    });
  });
  list.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(list);
}

function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

async function hide(form) {
  const item = form.closest("li");
  const row = form.closest(".row");
  const place = item.nextElementSibling;
  const list = item.parentElement;
  try {
    await call("POST", form.action);
  } catch (error) {
    say(error.message);
    return;
  }
  item.remove();
  row.hidden = list.children.length === 0;
  focusNear(place ?? list.lastElementChild);
  say(`${name(item)} is out of this row.`, async () => {
    await call("POST", form.dataset.undo);
    list.insertBefore(item, place);
    row.hidden = false;
    item.querySelector(".card").focus();
  });
}

function name(item) {
  return item.querySelector(".name").textContent;
}

function focusNear(item) {
  (item?.querySelector(".card") ?? document.querySelector("#main")).focus();
}

/** Show a sentence at the foot of the page, with an undo for ten seconds. */
function say(words, undo) {
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.append(Object.assign(document.createElement("span"), { textContent: words }));
  if (undo) {
    const button = document.createElement("button");
    button.className = "btn sec small";
    button.type = "button";
    button.textContent = "Undo";
    button.addEventListener("click", () => {
      toast.remove();
      undo().catch((error) => say(error.message));
    });
    toast.append(button);
  }
  document.body.append(toast);
  setTimeout(() => toast.remove(), UNDO_MILLISECONDS);
}
