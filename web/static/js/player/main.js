// The page /watch/<slug>: put the parts of the player together and begin.
import { t } from "../words.js";
import { acts, prefer } from "./acts.js";
import { addButton, refreshButtons } from "./buttons.js";
import { wear } from "./caption-look.js";
import { Chapters } from "./chapters.js";
import { Habits } from "./habits.js";
import { listen } from "./keys.js";
import { announce } from "./media-session.js";
import { NextUp } from "./next-up.js";
import { Notice } from "./notice.js";
import { holdForLicence } from "./opening.js";
import { Others } from "./others.js";
import { Page } from "./page.js";
import { Panels } from "./panels.js";
import { Pictures } from "./pictures.js";
import { Preferences } from "./preferences.js";
import { steer } from "./remote.js";
import { Screening } from "./screening.js";
import { Skips } from "./skips.js";
import { build } from "./stage.js";
import { Tokens } from "./tokens.js";
import { Watermark } from "./watermark.js";

const CUE_MILLISECONDS = 900;

const part = (id) => document.getElementById(id);
const stage = part("stage");
const video = part("video");
const notice = new Notice(part("notice"));

shaka.polyfill.installAll();
if (shaka.Player.isBrowserSupported()) {
  start();
} else {
  notice.show({
    heading: t("This browser is too old to play films"),
    text: t("A current Chrome, Edge, Firefox or Safari plays them."),
    way: "back",
  });
}

async function start() {
  const page = new Page(stage, video);
  const preferences = new Preferences(page.preferences);
  const tokens = new Tokens();
  // What is made below is there before anybody can press anything.
  const film = { stage, video, page, preferences };
  addButtons(film);
  const { player, controls } = await build(stage, video, tokens, page);
  holdForLicence(player);
  Object.assign(film, { player, controls });
  equip(film);
  film.screening = new Screening({
    title: page.title.slug,
    device: page.device,
    video,
    player,
    tokens,
    pictures: new Pictures(player, tokens),
    notice,
    others: new Others(part("others"), part("other-stream")),
    watermark: new Watermark(stage, video),
    habits: film.habits,
    onLoaded: (session) => loaded(film, session),
  });
  wire(film);
  await film.screening.open(page.start ?? undefined);
}

/** Give a film all that can be done with it. */
function equip(film) {
  const { page, preferences, player, controls } = film;
  film.onTv = page.onTv;
  film.notice = part("notice");
  film.after = part("after");
  film.habits = new Habits(player, video, preferences);
  film.chapters = new Chapters(player, video);
  film.skips = new Skips(part("skips"), video, page);
  film.panels = new Panels(part("panel"), film);
  film.closePanel = () => film.panels.close();
  film.captions = () => player.getTextTracks().find((track) => track.active)?.language;
  film.busy = () => Boolean(film.panels.open || document.querySelector("dialog[open]"));
  film.turn = (slug, how) => turn(film, slug, how);
  film.acts = { ...acts(video, player, controls, cue), ...ways(film) };
  film.seek = film.acts.to;
  film.wake = () => stage.dispatchEvent(new MouseEvent("mousemove"));
  film.sleep = () => stage.dispatchEvent(new MouseEvent("mouseleave"));
  film.media = announce(page, { next: film.acts.next, before: film.acts.before });
  film.nextUp = new NextUp({
    card: part("next-up"),
    still: part("still"),
    video,
    preferences,
    busy: film.busy,
    go: (slug) => film.turn(slug, { watched: true }),
    over: () => over(film),
  });
}

/** What keys and buttons do besides steering the picture. */
function ways(film) {
  const { page, panels } = film;
  const to = (place) => place && film.turn(place.slug);
  return {
    next: () => to(page.next),
    before: () => to(page.previous),
    skipPart: () => film.skips.skip(),
    transcript: () => panels.toggle("transcript"),
    episodes: () => hasEpisodes(page) && panels.toggle("episodes"),
    help: () => part("keys").showModal(),
    chapter(direction) {
      const chapter = film.chapters.beside(direction);
      if (chapter) {
        film.acts.to(chapter.start);
        cue(chapter.label);
      }
      return film.chapters.all.length > 0;
    },
  };
}

function wire(film) {
  const { page, preferences, player } = film;
  wear(stage, player, preferences);
  prefer(preferences.values.captions);
  listen(stage, film.acts, { onTv: film.onTv, on: () => preferences.values.keys });
  steer(film);
  film.panels.addEventListener("change", refreshButtons);
  preferences.addEventListener("change", refreshButtons);
  player.addEventListener("trackschanged", refreshButtons);
  stage.addEventListener("turned", refreshButtons);
  const bigPlay = part("big-play");
  bigPlay.addEventListener("click", () => video.play());
  video.addEventListener("play", () => (bigPlay.hidden = true));
  const keys = part("keys").querySelector("[data-part=on]");
  keys.checked = preferences.values.keys;
  keys.addEventListener("change", () => preferences.keep({ keys: keys.checked }));
  refreshButtons();
}

function addButtons(film) {
  const has = (name) => () => Boolean(film.page[name]);
  const seen = (name) => () => film.panels?.open === name;
  const does = (name) => () => film.acts[name]();
  const opens = (name) => () => film.panels.toggle(name);
  const texts = () => film.player?.getTextTracks().length > 0;
  const buttons = {
    back_ten: { label: t("Back 10 seconds"), drawing: "back", act: () => film.acts.skip(-10) },
    on_ten: { label: t("On 10 seconds"), drawing: "on", act: () => film.acts.skip(10) },
    next: { label: t("Next episode"), drawing: "next", act: does("next"), when: has("next") },
    before: {
      label: t("Episode before"),
      drawing: "before",
      act: does("before"),
      when: has("previous"),
    },
    episodes: {
      label: t("Episodes"),
      drawing: "episodes",
      act: opens("episodes"),
      when: () => hasEpisodes(film.page),
      on: seen("episodes"),
    },
    transcript: {
      label: t("Transcript"),
      drawing: "transcript",
      act: opens("transcript"),
      when: texts,
      on: seen("transcript"),
    },
    style: { label: t("Look of captions"), drawing: "style", act: opens("style"), when: texts },
    saver: {
      label: t("Data saver"),
      drawing: "saver",
      act: () => film.habits.save(!film.habits.saves),
      on: () => film.habits?.saves ?? false,
    },
    share: { label: t("Share"), drawing: "share", act: opens("share") },
    keys: { label: t("Keys"), drawing: "keys", act: does("help") },
  };
  Object.entries(buttons).forEach(([name, button]) => addButton(name, button));
}

function hasEpisodes({ title }) {
  return title.kind === "episode";
}

/** The film is there: show what belongs to it, and play. */
function loaded(film, session) {
  const { page, skips, chapters, nextUp, habits } = film;
  stage.dataset.plays = page.title.slug;
  habits.begin();
  chapters.show(session.markers);
  skips.show(session.markers);
  nextUp.about(page.next, session.markers, session.duration);
  film.media.tell();
  // Behind a notice nothing begins: what it tells of came while the film was loaded.
  if (!film.screening.staysPaused && !notice.shown) {
    begin();
  }
}

async function begin() {
  try {
    await video.play();
  } catch (error) {
    // The browser wants a press first.
    const bigPlay = part("big-play");
    bigPlay.hidden = error.name !== "NotAllowedError";
    if (!bigPlay.hidden) {
      bigPlay.focus();
    }
  }
}

/** Turn to another film without loading the page; full screen stays as it is. */
async function turn(film, slug, how) {
  // One film after the other: each opens a session of its own.
  if (film.turning) {
    return;
  }
  film.turning = true;
  try {
    await film.page.turn(slug);
    cue(film.page.title.name);
    await film.screening.turn(slug, how);
  } catch {
    location.assign(`/watch/${slug}`);
  } finally {
    film.turning = false;
  }
}

/** The film has ended and nothing follows by itself. */
async function over(film) {
  const { After } = await import("./after.js");
  film.ending ??= new After(film.after, film);
  film.ending.show();
}

let cueTimer = 0;

/** Say on the picture what was just done. */
function cue(words) {
  const box = part("cue");
  box.textContent = words;
  box.classList.add("on");
  clearTimeout(cueTimer);
  cueTimer = setTimeout(() => box.classList.remove("on"), CUE_MILLISECONDS);
}
