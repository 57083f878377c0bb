// A television has four arrows: move the focus to what lies that way. A row remembers
// the card it was left at.

const STOPS = "a[href], button:not([tabindex='-1']), input:not([type=hidden]), summary";
const WAYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
const left = new WeakMap();

window.addEventListener("keydown", (event) => {
  const way = WAYS[event.key];
  const at = document.activeElement;
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (!way || event.defaultPrevented || (sideways && at.matches("input, textarea"))) {
    return;
  }
  const target = sideways ? beside(at, way) : above(at, way);
  if (target) {
    event.preventDefault();
    left.set(row(at) ?? at, at);
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center", inline: "nearest" });
  }
});

/** What stands on the same line, and in a row only cards of that row. */
function beside(at, way) {
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

function row(stop) {
  return stop.closest(".rail");
}

function stops() {
  return [...document.querySelectorAll(STOPS)].filter(
    (stop) => stop.checkVisibility() && !stop.closest(".hide-card, .skip"),
  );
}

function nearest(found, distance) {
  const far = (stop) => distance(stop.getBoundingClientRect());
  return found.reduce((best, stop) => (best && far(best) <= far(stop) ? best : stop), null);
}
