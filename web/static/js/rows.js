// Rows of cards: buttons that scroll them, cards that come when their row is near, and
// taking a card out of a row with undo.
import { call } from "./api.js";
import { say } from "./toast.js";
import { t } from "./words.js";

const NEAR = "800px 0px";

document.querySelectorAll(".rail").forEach(scrollable);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".hide-card");
  if (button) {
    event.preventDefault();
    hide(button);
  }
});
const near = new IntersectionObserver(
  (entries) => entries.filter((each) => each.isIntersecting).forEach(fetchRow),
  { rootMargin: NEAR },
);
document.querySelectorAll("[data-later]").forEach((row) => near.observe(row));

function scrollable(rail) {
  const list = rail.querySelector("ul");
  const steps = [...rail.querySelectorAll(".step")];
  if (!steps.length) {
    return;
  }
  const update = () => {
    // Read from right to left, a list scrolls below zero.
    const at = Math.abs(list.scrollLeft);
    steps[0].hidden = at < 8;
    steps[1].hidden = at > list.scrollWidth - list.clientWidth - 8;
  };
  steps.forEach((step, index) => {
    step.addEventListener("click", () => {
      const way = (index ? 1 : -1) * (document.dir === "rtl" ? -1 : 1);
      const distance = list.clientWidth * 0.85 * way;
      list.scrollBy({ left: distance, behavior: calm() ? "auto" : "smooth" });
    });
  });
  list.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(list);
}

function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

async function fetchRow({ target: row }) {
  near.unobserve(row);
  row.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(row.dataset.later);
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    const held = row.contains(document.activeElement);
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    const whole = drawn.querySelector(".row");
    row.replaceWith(whole);
    scrollable(whole.querySelector(".rail"));
    if (held) {
      whole.querySelector(".card")?.focus({ preventScroll: true });
    }
  } catch {
    // Its heading leads to the same cards.
    row.removeAttribute("aria-busy");
  }
}

async function hide(button) {
  const item = button.closest("li");
  const row = button.closest(".row");
  const place = item.nextElementSibling;
  const list = item.parentElement;
  try {
    await call("POST", button.getAttribute("formaction"));
  } catch (error) {
    say(error.message);
    return;
  }
  item.remove();
  row.hidden = list.children.length === 0;
  focusNear(place ?? list.lastElementChild);
  say(t("{title} is out of this row.", { title: name(item) }), async () => {
    await call("POST", button.dataset.undo);
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
