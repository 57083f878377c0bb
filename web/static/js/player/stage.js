// The stage: Shaka with its controls, in our order and with our colours.
import { refreshButtons } from "./buttons.js";

// Next and previous are ours: see media-session.js.
const ACTIONS = [
  ...["play", "pause", "seekforward", "seekbackward", "seekto"],
  "enterpictureinpicture",
];

const WIDE = [
  "play_pause",
  "before",
  "back_ten",
  "on_ten",
  "next",
  "mute",
  "volume",
  "time_and_duration",
  "spacer",
  "episodes",
  "transcript",
  "captions",
  "overflow_menu",
  "picture_in_picture",
  "fullscreen",
];
const NARROW = ["play_pause", "time_and_duration", "spacer", "overflow_menu", "fullscreen"];
// A remote control has keys for sound, and its picture is as large as can be.
const AFAR = new Set(["mute", "volume", "picture_in_picture", "fullscreen"]);
const ON_TV = WIDE.filter((name) => !AFAR.has(name));
const MENU = ["captions", "style", "language", "quality", "saver", "playback_rate"];
const REST = ["chapter", "share", "keys"];
const REST_NARROW = [
  ...["chapter", "next", "before", "episodes", "transcript"],
  ...["share", "picture_in_picture", "keys"],
];
const REST_ON_TV = ["chapter"];

/** Build the player in ``box``; return it with its controls. */
export async function build(box, video, tokens, { onTv }) {
  // The order matters: the overlay must exist before the player takes the video,
  // else captions are drawn under the controls.
  const player = new shaka.Player();
  const overlay = new shaka.ui.Overlay(player, box, video);
  await player.attach(video);
  configure(player, overlay, { box, onTv });
  tokens.guard(player.getNetworkingEngine());
  mend(box);
  const controls = overlay.getControls();
  controls.getLocalization().changeLocale([document.documentElement.lang]);
  return { player, controls };
}

function configure(player, overlay, { box, onTv }) {
  const narrow = matchMedia("(max-width: 640px)");
  const arrange = () => {
    const [bar, rest] = onTv
      ? [ON_TV, REST_ON_TV]
      : narrow.matches
        ? [NARROW, REST_NARROW]
        : [WIDE, REST];
    overlay.configure({
      controlPanelElements: bar,
      overflowMenuButtons: [...MENU, ...rest],
    });
    refreshButtons();
  };
  overlay.configure({
    topControlPanelElements: [],
    // The panel beside the film belongs to it.
    fullScreenElement: box.parentElement,
    mediaSession: { handleMetadata: false, supportedActions: ACTIONS },
    captionsStyles: false,
    playbackRates: [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2],
    // By language alone, a description or 5.1 would look like the sound beside it.
    trackLabelFormat: shaka.ui.Overlay.TrackLabelFormat.LABEL,
    textTrackLabelFormat: shaka.ui.Overlay.TrackLabelFormat.LABEL,
    // The keys are ours (keys.js): one table, in the window, by place on the keyboard.
    enableKeyboardPlaybackControls: false,
    castReceiverAppId: "",
    castSenderUrl: "",
    customContextMenu: false,
    seekOnTaps: true,
    tapSeekDistance: 10,
    fadeDelay: 2.5,
    seekBarColors: {
      base: "rgb(255 255 255 / 0.25)",
      buffered: "rgb(255 255 255 / 0.45)",
      played: "#6c8cff",
      chapters: "#0b0d11",
    },
    volumeBarColors: { base: "rgb(255 255 255 / 0.4)", level: "#fff" },
  });
  arrange();
  narrow.addEventListener("change", arrange);
  const retryParameters = { maxAttempts: 4, baseDelay: 400, backoffFactor: 2 };
  player.configure({
    // Pictures of the manifest would keep the token they came with: see pictures.js.
    // Captions are tracks; to look for some inside the picture takes three segments.
    manifest: {
      retryParameters,
      disableThumbnails: true,
      hls: { disableClosedCaptionsDetection: true },
    },
    streaming: {
      bufferingGoal: 40,
      rebufferingGoal: 2,
      bufferBehind: 60,
      retryParameters,
      // Behind the notice of an error it would go on by itself, each time a segment
      // later, and race with whoever tries again.
      allowMediaSourceRecoveries: false,
    },
    abr: { defaultBandwidthEstimate: 4_000_000, restrictToElementSize: false },
    preferredText: [],
  });
}

/** Mend what Shaka leaves undone for who listens to the page. */
function mend(box) {
  const tidy = () => {
    box.querySelectorAll(".shaka-ad-info").forEach((each) => each.remove());
    box.querySelectorAll("[role=menu]:not(.shaka-hidden) > button").forEach(name);
    // Its chapter stands beside the picture.
    box.querySelectorAll("[role=menu] img").forEach((each) => (each.alt = ""));
  };
  tidy();
  new MutationObserver(tidy).observe(box, {
    childList: true,
    subtree: true,
    attributeFilter: ["class"],
  });
}

/** What stands on a button of a menu is its name; in a menu it is an item. */
function name(button) {
  const words = button.textContent;
  if (button.matches(".shaka-turn-captions-off-button")) {
    button.role = "menuitemradio";
    button.ariaChecked = String(button.querySelector(".shaka-chosen-item") !== null);
  } else {
    button.role ??= "menuitem";
  }
  if (button.role === "menuitem") {
    button.ariaPressed = null;
  }
  if (button.ariaLabel && !button.ariaLabel.includes(words)) {
    // “Captions” says less than “Captions Off”, and “Back” than “Back: Language”.
    const back = button.matches(".shaka-back-to-overflow-button");
    button.ariaLabel = back ? `${button.ariaLabel}: ${words}` : null;
  }
}
