// The keys of the player. Letters are found by their place on the keyboard (e.code), so
// that they work in any layout; nothing is taken from fields, menus or shortcuts.

const STEP = 10;
const LEAP = 60;
const FRAME = 1 / 25;

/** Listen in the whole window; ``acts`` is what main.js can do. */
export function listen(box, acts, { onTv = false } = {}) {
  const byCode = {
    Space: acts.toggle,
    KeyK: acts.toggle,
    KeyJ: () => acts.skip(-STEP),
    KeyL: () => acts.skip(STEP),
    ArrowLeft: () => acts.skip(-STEP),
    ArrowRight: () => acts.skip(STEP),
    PageDown: () => acts.skip(-LEAP),
    PageUp: () => acts.skip(LEAP),
    ...(onTv ? {} : { ArrowUp: () => acts.louder(5), ArrowDown: () => acts.louder(-5) }),
    Home: () => acts.jump(0),
    End: () => acts.jump(1),
    KeyC: acts.captions,
    KeyM: acts.mute,
    KeyF: acts.fullscreen,
    KeyP: acts.pictureInPicture,
  };
  const byKey = {
    "?": acts.help,
    "<": () => acts.faster(-1),
    ">": () => acts.faster(1),
    ",": () => acts.frame(-FRAME),
    ".": () => acts.frame(FRAME),
    MediaPlayPause: acts.toggle,
  };
  window.addEventListener("keydown", (event) => {
    if (!ours(event, box)) {
      return;
    }
    const act = byKey[event.key] ?? digit(event, acts) ?? byCode[event.code];
    if (act && !(event.shiftKey && act !== byKey[event.key])) {
      event.preventDefault();
      act();
    }
  });
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
  if (at.matches("textarea, select, input:not([type=range])")) {
    return false;
  }
  return !(pressing(event, at) || inMenu(at, box) || onVolume(event, at));
}

/** Space and Enter press the button that has the focus. */
function pressing(event, at) {
  return event.code === "Space" && at.closest("button, a, summary") !== null;
}

function inMenu(at, box) {
  const menu = at.closest(".shaka-settings-menu, .shaka-overflow-menu");
  return menu !== null && box.contains(menu);
}

/** The volume slider keeps its own arrows. */
function onVolume(event, at) {
  return event.code.startsWith("Arrow") && at.matches(".shaka-volume-bar");
}
