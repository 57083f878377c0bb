// The page /watch/<slug>: open a session, play it, report it, survive what goes wrong.
import { call, Refused } from "../api.js";
import { acts } from "./acts.js";
import { listen } from "./keys.js";
import { MediaToken } from "./media-token.js";
import { Notice } from "./notice.js";
import { Pictures } from "./pictures.js";
import { Report } from "./report.js";
import { addButton, build } from "./stage.js";

const CRITICAL = 2;
const CUE_MILLISECONDS = 900;
// Without these only the browser's own HLS is left (an old iPhone).
const BUFFERS = "MediaSource" in window || "ManagedMediaSource" in window;
// A machine that slept or a page that was gone misses heartbeats; nobody need know.
const RENEWABLE = new Set(["expired", "closed", "playback.missing"]);

const stage = document.getElementById("stage");
const video = document.getElementById("video");
const bigPlay = document.getElementById("big-play");
const notice = new Notice(document.getElementById("notice"));
const token = new MediaToken();
let report = null;
let pictures = null;

shaka.polyfill.installAll();
start();

async function start() {
  if (!shaka.Player.isBrowserSupported()) {
    notice.broken("This browser cannot play films: it is too old", 0);
    return;
  }
  addButton("back_ten", "Back 10 seconds", drawing("back"), () => doing.skip(-10));
  addButton("on_ten", "On 10 seconds", drawing("on"), () => doing.skip(10));
  addButton("keys", "Keys", drawing("keys"), () => doing.help());
  const built = await build(stage, video, token);
  const doing = acts({ video, ...built }, cue, document.getElementById("keys"));
  listen(stage, doing, { onTv: stage.dataset.mode === "tv" });
  bigPlay.addEventListener("click", () => video.play());
  video.addEventListener("play", () => (bigPlay.hidden = true));
  pictures = new Pictures(built.player, token);
  built.player.addEventListener("error", (event) => failed(event.detail));
  notice.onRetry(() => open(built.player, video.currentTime || undefined));
  describe();
  await open(built.player, fromAddress());
}

/** Open a session and play it from ``from``, or from where the viewer stopped. */
async function open(player, from) {
  try {
    const session = await openSession(player);
    await player.load(address(session), from ?? session.resume_at);
    if (session.thumbnails) {
      pictures.show(session.thumbnails);
    }
    await begin();
  } catch (error) {
    failed(error);
  }
}

async function openSession(player) {
  report?.stop();
  const session = await call("POST", "/api/v1/playback", {
    title: stage.dataset.title,
    device: "browser",
    swaps: BUFFERS,
  });
  token.swap(session.media_token);
  report = new Report(session, video, player, {
    onToken: (text) => token.swap(text) && pictures.freshen(),
    onStop: (reason, sentence) => stopped(player, session, reason, sentence),
  });
  report.start();
  return session;
}

/** The server ended the session: go on in a new one where that is all it takes. */
async function stopped(player, ended, reason, sentence) {
  if (!RENEWABLE.has(reason)) {
    video.pause();
    notice.stopped(reason, sentence);
    return;
  }
  try {
    const session = await openSession(player);
    await pictures.freshen();
    if (session.asset !== ended.asset) {
      await player.load(address(session), video.currentTime);
    }
  } catch (error) {
    failed(error);
  }
}

function address(session) {
  const wanted = new URLSearchParams(location.search).get("format");
  const hls = wanted === "hls" || !BUFFERS;
  const manifest = hls ? session.manifests.hls : session.manifests.dash;
  return new URL(manifest, location.href).href;
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

function failed(error) {
  if (error instanceof Refused) {
    notice.refused(error);
  } else if (error.severity === undefined || error.severity === CRITICAL) {
    report?.send();
    notice.broken(`Error ${error.code ?? error.name}`, video.currentTime);
  }
}

let cueTimer = 0;

function cue(words) {
  const box = document.getElementById("cue");
  box.textContent = words;
  box.classList.add("on");
  clearTimeout(cueTimer);
  cueTimer = setTimeout(() => box.classList.remove("on"), CUE_MILLISECONDS);
}

function drawing(name) {
  return document.getElementById(`drawing-${name}`);
}
