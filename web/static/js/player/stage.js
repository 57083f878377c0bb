// The stage: Shaka with its controls, in our order and with our colours.

const ORDER = [
  "play_pause",
  "back_ten",
  "on_ten",
  "mute",
  "volume",
  "time_and_duration",
  "spacer",
  "captions",
  "overflow_menu",
  "picture_in_picture",
  "keys",
  "fullscreen",
];
const NARROW = ["play_pause", "time_and_duration", "spacer", "overflow_menu", "fullscreen"];

/** Build the player in ``box``; return it with its controls. */
export async function build(box, video, tokens) {
  // The order matters: the overlay must exist before the player takes the video,
  // else captions are drawn under the controls.
  const player = new shaka.Player();
  const overlay = new shaka.ui.Overlay(player, box, video);
  await player.attach(video);
  configure(player, overlay);
  tokens.guard(player.getNetworkingEngine());
  dropNamelessButton(box);
  return { player, controls: overlay.getControls() };
}

/** Add a button of ours to the controls, drawn as in the page's template. */
export function addButton(name, label, drawing, act) {
  const Button = class extends shaka.ui.Element {
    constructor(parent, controls) {
      super(parent, controls);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "shaka-tooltip own-button";
      button.ariaLabel = label;
      button.append(drawing.content.cloneNode(true));
      this.parent.append(button);
      this.eventManager.listen(button, "click", act);
    }
  };
  shaka.ui.Controls.registerElement(name, {
    create: (parent, controls) => new Button(parent, controls),
  });
}

function configure(player, overlay) {
  const narrow = matchMedia("(max-width: 640px)");
  const arrange = () =>
    overlay.configure({ controlPanelElements: narrow.matches ? NARROW : ORDER });
  overlay.configure({
    topControlPanelElements: [],
    overflowMenuButtons: [
      "captions",
      "language",
      "quality",
      "playback_rate",
      ...(narrow.matches ? ["picture_in_picture"] : []),
    ],
    playbackRates: [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2],
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
    },
    volumeBarColors: { base: "rgb(255 255 255 / 0.4)", level: "#fff" },
  });
  arrange();
  narrow.addEventListener("change", arrange);
  const retryParameters = { maxAttempts: 4, baseDelay: 400, backoffFactor: 2 };
  player.configure({
    // Pictures of the manifest would keep the token they came with: see pictures.js.
    manifest: { retryParameters, disableThumbnails: true },
    streaming: {
      bufferingGoal: 40,
      rebufferingGoal: 2,
      bufferBehind: 60,
      retryParameters,
    },
    abr: { defaultBandwidthEstimate: 4_000_000, restrictToElementSize: false },
    preferredText: [],
  });
}

function dropNamelessButton(box) {
  const drop = () => box.querySelectorAll(".shaka-ad-info").forEach((e) => e.remove());
  drop();
  new MutationObserver(drop).observe(box, { childList: true, subtree: true });
}
