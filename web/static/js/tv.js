// A television has four arrows: move the focus to what lies that way. A row remembers
// the card it was left at.

const STOPS =
  "a[href], button:not([disabled], [tabindex='-1']), input:not([type=hidden]), select, textarea, summary";
// Left and right are theirs: to go through letters, or to choose.
const OWN = "input:not([type=checkbox], [type=submit], [type=file]), textarea, select";
const TICKS = "input[type=checkbox], input[type=radio]";
const WAYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
const left = new WeakMap();

// Tizen and webOS send numbers for Back, other televisions a name.
const BACK = new Set(["GoBack", "BrowserBack", "XF86Back"]);
const BACK_CODES = new Set([461, 10009]);
const PLACE = `focus ${location.pathname}`;

window.addEventListener("keydown", (event) => {
  if (!BACK.has(event.key) && !BACK_CODES.has(event.keyCode)) return;
  if (event.defaultPrevented) return;
  event.preventDefault();
  const open = document.querySelector(":popover-open, dialog[open]");
  if (open?.matches(":popover-open")) open.hidePopover();
  else if (open) open.close();
  else history.back();
});

// Whoever comes back stands where they left; whoever comes anew can play at once.
window.addEventListener("pagehide", () => {
  const at = document.activeElement?.closest?.("a[href]");
  if (at) sessionStorage.setItem(PLACE, at.getAttribute("href"));
});

const asked = document.querySelector("main [autofocus]");
if (document.activeElement === document.body && !asked) {
  const kept = sessionStorage.getItem(PLACE);
  const link = kept && document.querySelector(`main a[href="${CSS.escape(kept)}"]`);
  const usual = document.querySelector("main .btn.play, main a[href]");
  const first = link || usual || stops().find((stop) => stop.closest("main"));
  first?.focus({ preventScroll: !link });
  link?.scrollIntoView({ block: "center", inline: "nearest" });
}

window.addEventListener("keydown", (event) => {
  const way = WAYS[event.key];
  const at = document.activeElement;
  if (event.key === "Enter" && at.matches(TICKS)) {
    // Else OK would send the form with the box as it was.
    event.preventDefault();
    at.click();
  }
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (!way || event.defaultPrevented || (sideways && at.matches(OWN))) {
    return;
  }
  const target = at === document.body ? stops()[0] : sideways ? beside(at, way) : above(at, way);
  // Without a target the page may scroll, but no choice may change on the way.
  if (target || at.matches("select, input[type=radio]")) event.preventDefault();
  if (target) {
    left.set(row(at) ?? at, at);
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center", inline: "nearest" });
  }
});

/**
 * What stands on the same line, and in a row only cards of that row; past its last card
 * is the link to all of it, which stands in its heading.
 */
function beside(at, way) {
  const rail = row(at);
  const on = document.dir === "rtl" ? way < 0 : way > 0;
  if (isMore(at)) return on ? null : [...section(at).querySelectorAll(".rail a")].at(-1);
  return onLine(at, way) ?? (rail && on ? more(rail) : null);
}

function onLine(at, way) {
  const here = at.getBoundingClientRect();
  const same = stops().filter((stop) => {
    const box = stop.getBoundingClientRect();
    const level = box.top < here.bottom && box.bottom > here.top;
    return level && row(stop) === row(at) && (box.left - here.left) * way > 1;
  });
  return nearest(same, (box) => Math.abs(box.left - here.left));
}

/** What stands in the next line; in a row the card it was left at. */
function above(at, way) {
  const here = at.getBoundingClientRect();
  const beyond = stops().filter((stop) => {
    const box = stop.getBoundingClientRect();
    return way > 0 ? box.top >= here.bottom - 1 : box.bottom <= here.top + 1;
  });
  const found = nearest(beyond, (box) => {
    const gap = way > 0 ? box.top - here.bottom : here.top - box.bottom;
    return Math.round(gap / 8) * 10_000 + Math.abs(box.left - here.left);
  });
  return found && (left.get(row(found)) ?? found);
}

function section(stop) {
  return stop.closest("section");
}

function more(rail) {
  return section(rail)?.querySelector(":scope > header a[href]");
}

function isMore(stop) {
  return stop.matches("section > header a") && section(stop).querySelector(".rail");
}

function row(stop) {
  return stop.closest(".rail");
}

/** What can be reached: of an open menu nothing but what is in it. */
function stops() {
  const top = document.querySelector(":popover-open, dialog[open]") ?? document;
  return [...top.querySelectorAll(STOPS)].filter(
    (stop) => stop.checkVisibility() && !stop.closest(".hide-card, .skip") && !isMore(stop),
  );
}

function nearest(found, distance) {
  const far = (stop) => distance(stop.getBoundingClientRect());
  return found.reduce((best, stop) => (best && far(best) <= far(stop) ? best : stop), null);
}
