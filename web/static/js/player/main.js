// The page /watch/<slug>: put the parts of the player together and begin.
import { acts } from "./acts.js";
import { listen } from "./keys.js";
import { Notice } from "./notice.js";
import { holdForLicence } from "./opening.js";
import { Others } from "./others.js";
import { Pictures } from "./pictures.js";
import { Screening } from "./screening.js";
import { addButton, build } from "./stage.js";
import { Tokens } from "./tokens.js";
import { Watermark } from "./watermark.js";

const CUE_MILLISECONDS = 900;

const stage = document.getElementById("stage");
const video = document.getElementById("video");
const bigPlay = document.getElementById("big-play");
const cueBox = document.getElementById("cue");

shaka.polyfill.installAll();
start();

async function start() {
  const notice = new Notice(document.getElementById("notice"));
  if (!shaka.Player.isBrowserSupported()) {
    notice.show({
      heading: "This browser is too old to play films",
      text: "A current Chrome, Edge, Firefox or Safari plays them.",
      way: "back",
    });
    return;
  }
  addButton("back_ten", "Back 10 seconds", drawing("back"), () => doing.skip(-10));
  addButton("on_ten", "On 10 seconds", drawing("on"), () => doing.skip(10));
  addButton("keys", "Keys", drawing("keys"), () => doing.help());
  const tokens = new Tokens();
  const { player, controls } = await build(stage, video, tokens);
  holdForLicence(player);
  const doing = acts(video, player, controls, cue, document.getElementById("keys"));
  listen(stage, doing, { onTv: stage.dataset.mode === "tv" });
  bigPlay.addEventListener("click", () => video.play());
  video.addEventListener("play", () => (bigPlay.hidden = true));

  const screening = new Screening({
    title: stage.dataset.title,
    device: stage.dataset.device,
    video,
    player,
    tokens,
    pictures: new Pictures(player, tokens),
    notice,
    others: new Others(
      document.getElementById("others"),
      document.getElementById("other-stream"),
    ),
    watermark: new Watermark(stage, video),
  });
  player.addEventListener("loaded", () => {
    describe();
    if (!screening.staysPaused) {
      begin();
    }
  });
  await screening.open(fromAddress());
}

function fromAddress() {
  const text = stage.dataset.from;
  return text === "" ? undefined : Number(text);
}

async function begin() {
  try {
    await video.play();
  } catch (error) {
    // The browser wants a press first.
    bigPlay.hidden = error.name !== "NotAllowedError";
    if (!bigPlay.hidden) {
      bigPlay.focus();
    }
  }
}

/** Tell the lock screen what is playing. */
function describe() {
  if (!("mediaSession" in navigator)) {
    return;
  }
  const art = stage.dataset.art;
  navigator.mediaSession.metadata = new MediaMetadata({
    title: stage.dataset.name,
    artwork: art
      ? [{ src: `/artwork/${art}/640.jpg`, sizes: "640x360", type: "image/jpeg" }]
      : [],
  });
}

let cueTimer = 0;

/** Say on the picture what was just done. */
function cue(words) {
  cueBox.textContent = words;
  cueBox.classList.add("on");
  clearTimeout(cueTimer);
  cueTimer = setTimeout(() => cueBox.classList.remove("on"), CUE_MILLISECONDS);
}

function drawing(name) {
  return document.getElementById(`drawing-${name}`);
}
