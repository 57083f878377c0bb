// The keys of the player. Letters are found by their place on the keyboard (e.code), so
// that they work in any layout; nothing is taken from fields, menus or shortcuts.

const STEP = 10;
const LEAP = 60;
const FRAME = 1 / 25;
const PRESSED = "button, a, summary, input:not([type=range])";
// Nothing is typed into these.
const CHOICES = "[type=range], [type=radio], [type=checkbox]";

/**
 * Listen in the whole window; ``acts`` is what main.js can do, ``on()`` whether the
 * viewer wants keys at all.
 */
export function listen(box, acts, { onTv = false, on = () => true } = {}) {
  const byCode = {
    Space: acts.toggle,
    KeyK: acts.toggle,
    KeyJ: () => acts.skip(-STEP),
    KeyL: () => acts.skip(STEP),
    PageDown: () => acts.chapter(-1) || acts.skip(-LEAP),
    PageUp: () => acts.chapter(1) || acts.skip(LEAP),
    ...(onTv ? {} : arrows(acts)),
    Home: () => acts.jump(0),
    End: () => acts.jump(1),
    KeyC: acts.captions,
    KeyE: acts.episodes,
    KeyF: acts.fullscreen,
    KeyM: acts.mute,
    KeyN: acts.next,
    KeyP: acts.pictureInPicture,
    KeyS: acts.skipPart,
    KeyT: acts.transcript,
  };
  const shifted = { KeyN: acts.next, KeyP: acts.before };
  const byKey = {
    "?": acts.help,
    "<": () => acts.faster(-1),
    ">": () => acts.faster(1),
    ",": () => acts.frame(-FRAME),
    ".": () => acts.frame(FRAME),
  };
  window.addEventListener("keydown", (event) => {
    if (!on() || !ours(event, box)) {
      return;
    }
    const byPlace = event.shiftKey ? shifted : byCode;
    const act = byKey[event.key] ?? digit(event, acts) ?? byPlace[event.code];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

function arrows(acts) {
  return {
    ArrowLeft: () => acts.skip(-STEP),
    ArrowRight: () => acts.skip(STEP),
    ArrowUp: () => acts.louder(5),
    ArrowDown: () => acts.louder(-5),
  };
}

function digit(event, acts) {
  const found = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return found && /^[0-9]$/.test(event.key)
    ? () => acts.jump(Number(found[1]) / 10)
    : undefined;
}

function ours(event, box) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
    return false;
  }
  const at = event.target;
  if (document.querySelector("dialog[open]") || at.isContentEditable) {
    return false;
  }
  if (at.matches(`textarea, select, input:not(${CHOICES})`)) {
    return false;
  }
  return !(pressing(event, at) || inMenu(at, box) || scrolling(event, at));
}

/** Space and Enter press the button that has the focus. */
function pressing(event, at) {
  return event.code === "Space" && at.closest(PRESSED) !== null;
}

function inMenu(at, box) {
  const menu = at.closest(".shaka-settings-menu, .shaka-overflow-menu");
  return menu !== null && box.contains(menu);
}

/** The volume slider keeps its own arrows; a panel is scrolled and walked through. */
function scrolling(event, at) {
  const moves = /^(Arrow|Page|Home|End)/.test(event.code);
  return moves && at.closest(".shaka-volume-bar, .beside, .after") !== null;
}
