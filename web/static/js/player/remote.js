// A television's remote control: four arrows, OK, Back, and the keys of a recorder.
// While nothing is open and the controls are away, arrows steer the film itself.

// Tizen and webOS send these instead of names.
const CODES = {
  10009: "GoBack",
  461: "GoBack",
  415: "MediaPlay",
  19: "MediaPause",
  10252: "MediaPlayPause",
  413: "MediaStop",
  417: "MediaFastForward",
  412: "MediaRewind",
  10232: "MediaTrackPrevious",
  10233: "MediaTrackNext",
};
const BACK = new Set(["GoBack", "BrowserBack", "XF86Back", "Escape"]);
const WAYS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const STOPS =
  "a[href], button:not([disabled]), input:not([type=hidden]), select, summary, [tabindex='0']";
const STEP = 10;
// What lies aside of the way up or down counts less than what lies straight there.
const ASIDE = 0.4;

/** Steer with the remote; ``film`` is what can be done, and what can be open. */
export function steer(film) {
  const { acts } = film;
  const keys = {
    MediaPlay: acts.play,
    MediaPause: acts.pause,
    MediaPlayPause: acts.toggle,
    MediaStop: () => leave(film),
    MediaFastForward: () => acts.skip(STEP),
    MediaRewind: () => acts.skip(-STEP),
    MediaTrackNext: acts.next,
    MediaTrackPrevious: acts.before,
  };
  window.addEventListener(
    "keydown",
    (event) => {
      const name = CODES[event.keyCode] ?? event.key;
      const act = keys[name] ?? (film.onTv ? way(name, event, film) : out(name, film));
      if (act) {
        event.preventDefault();
        event.stopPropagation();
        act();
      }
    },
    true,
  );
  // A menu that goes away takes along what had the focus. Who has a mouse wants the
  // space bar to play, not to open the menu again.
  let pointed = false;
  window.addEventListener("pointerdown", () => (pointed = true), true);
  window.addEventListener("keydown", () => (pointed = false), true);
  film.stage.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (pointed || relatedTarget || !target.closest("[class*=-menu]")) return;
    if (target.checkVisibility()) return;
    const next = inMenu(film) ? stops(layer(film))[0] : gear(film);
    next?.focus({ preventScroll: true });
  });
}

function gear(film) {
  return film.stage.querySelector(".shaka-overflow-menu-button");
}

/** By a keyboard, a menu is left to the button that opened it. */
function out(name, film) {
  return name === "Escape" && inMenu(film) ? () => back(film) : undefined;
}

function inMenu(film) {
  return layer(film).matches("[class*=shaka-]:not(.stage)");
}

function way(name, event, film) {
  if (BACK.has(name)) {
    return () => back(film);
  }
  const at = document.activeElement;
  if (name === "Enter") {
    return idle(at, film) ? () => film.acts.toggle() : chosen(at);
  }
  const direction = WAYS[name];
  if (!direction || typing(at, name)) {
    return undefined;
  }
  return () => move(at, direction, film);
}

/** OK on a choice chooses; anything else is the browser's. */
function chosen(at) {
  return at.matches("input[type=radio], input[type=checkbox]") ? () => at.click() : undefined;
}

function typing(at, name) {
  const sideways = name === "ArrowLeft" || name === "ArrowRight";
  return sideways && at.matches("input[type=search], input[type=text]") && at.value !== "";
}

/** Whether nothing but the film is there to be steered. */
function idle(at, film) {
  const nothing = at === document.body || at === film.stage;
  return nothing && layer(film) === film.stage;
}

function move(at, [across, down], film) {
  const within = layer(film);
  if (at.matches(".shaka-seek-bar") && across) {
    film.acts.skip(across * STEP);
    return;
  }
  if (idle(at, film) || !within.contains(at)) {
    enter(within, [across, down], film);
    return;
  }
  film.wake();
  const target = beside(at, stops(within), [across, down]);
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** From the picture: sideways seeks, up and down bring the controls. */
function enter(within, [across, down], film) {
  if (within === film.stage && across) {
    film.acts.skip(across * STEP);
    return;
  }
  film.wake();
  const all = stops(within);
  const first =
    within === film.stage
      ? within.querySelector(down > 0 ? ".shaka-play-button, .own-button" : ".marquee a")
      : all[0];
  (first ?? all[0])?.focus({ preventScroll: true });
}

/** What lies on top: only there do the arrows move. */
function layer(film) {
  const menus = ".shaka-settings-menu:not(.shaka-hidden), .shaka-overflow-menu:not(.shaka-hidden), .shaka-sub-menu:not(.shaka-hidden)";
  const open = [...film.stage.querySelectorAll(menus)].filter((each) => each.checkVisibility());
  const over = [film.notice, film.after].find((each) => each && !each.hidden);
  return (
    document.querySelector("dialog[open]") ??
    open.at(-1) ??
    (film.panels.open ? film.panels.box : null) ??
    over ??
    film.stage
  );
}

/** Close what lies on top; with nothing open go back to where one came from. */
function back(film) {
  const top = layer(film);
  if (top.matches("dialog")) {
    top.dispatchEvent(new Event("cancel", { cancelable: true }));
    top.close();
  } else if (inMenu(film)) {
    film.controls.hideSettingsMenus();
    gear(film)?.focus({ preventScroll: true });
  } else if (film.panels.open) {
    film.panels.close();
  } else if (film.nextUp.shown) {
    film.nextUp.stay();
  } else if (film.stage.contains(document.activeElement) && awake(film) && top === film.stage) {
    film.stage.focus({ preventScroll: true });
    film.sleep();
  } else {
    leave(film);
  }
}

function awake({ stage }) {
  return document.activeElement !== stage && document.activeElement !== document.body;
}

function leave({ stage }) {
  location.assign(stage.querySelector("[data-way-back]").href);
}

function stops(within) {
  const all = [...within.querySelectorAll(STOPS)].filter(
    (stop) => stop.checkVisibility({ visibilityProperty: true }) && stop.tabIndex >= 0,
  );
  // What lies over the stage is a part of it.
  return all.filter((stop) => within !== document.body || !stop.closest("dialog"));
}

/**
 * Return the nearest stop that lies that way as one sees it, from right to left too:
 * sideways on the same line, up and down rather straight than near.
 */
function beside(at, all, [across, down]) {
  const here = at.getBoundingClientRect();
  const from = middle(here);
  let best = null;
  let least = Infinity;
  for (const stop of all.filter((each) => each !== at)) {
    const there = stop.getBoundingClientRect();
    const to = middle(there);
    const along = (to.x - from.x) * across + (to.y - from.y) * down;
    const aside = across ? 0 : Math.abs(to.x - from.x) * ASIDE;
    const open = down || level(here, there);
    if (open && along > 2 && along + aside < least) {
      [best, least] = [stop, along + aside];
    }
  }
  return best;
}

function level(one, other) {
  const within = ({ top, bottom }, { y }) => top <= y && y <= bottom;
  return within(one, middle(other)) || within(other, middle(one));
}

function middle({ left, top, width, height }) {
  return { x: left + width / 2, y: top + height / 2 };
}
