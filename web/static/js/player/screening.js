// One film being watched: its session, what keeps it going, what ends it.
import { call, Refused } from "../api.js";
import { watchForKeys } from "./key-wait.js";
import { BUFFERS, configure, hindrance, manifest } from "./opening.js";
import { Report } from "./report.js";
import * as words from "./words.js";

const CRITICAL = 2;
const NETWORK = 1;
const SUPERSEDED = new Set([7000, 7001, 7003]);
const REFUSED = new Set([403, 410]);
const PATIENCE_MILLISECONDS = 30_000;
// A machine that slept or a page that was gone misses heartbeats; nobody need know.
const RENEWABLE = new Set(["expired", "closed", "playback.missing"]);
// The film was encrypted anew: its manifest names other keys.
const REPLACED = "replaced";
const STALE = new Set(["licence.token-expired", "licence.session-expired"]);
const REMEMBERED = "matinee-playback";

export class Screening {
  #session = null;
  #report = null;
  #renewedAt = -Infinity;
  #start;
  #loaded = false;
  #paused = false;
  #renewing = false;
  #leaving = false;
  #place;

  constructor(parts) {
    Object.assign(this, parts);
    const { player, video, notice } = this;
    player.addEventListener("error", (event) => this.#leaving || this.#failed(event.detail));
    player.addEventListener("loading", () => (this.#leaving = false));
    watchForKeys(video, () => this.#give(words.ofSilence(video.currentTime)));
    notice.onRetry(() => this.open(this.#place));
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", (event) => event.persisted && this.#back());
  }

  /** Whether the viewer had stopped the film before it was loaded anew. */
  get staysPaused() {
    return this.#paused;
  }

  /** What the server said of the film that plays. */
  get session() {
    return this.#session;
  }

  /** Leave this film, watched to its end or not, for another one. */
  async turn(title, { watched = false } = {}) {
    const place = watched ? this.video.duration : this.#report?.untold;
    this.#report?.stop();
    this.#tell(place || null);
    this.title = title;
    this.notice.hide();
    await this.open();
  }

  /** Play from ``start``, or without one from where the viewer stopped. */
  async open(start) {
    this.#start = start;
    this.#loaded = this.#paused = false;
    // What still goes wrong with the film before is no matter any more.
    this.#leaving = true;
    this.habits.prepare();
    try {
      const session = await this.#begin();
      await this.#load(session, start ?? session.resume_at);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Open a session in place of the one before; the server counts them as one. */
  async #begin() {
    this.#report?.stop();
    const session = await call("POST", "/api/v1/playback", {
      title: this.title,
      device: this.device,
      swaps: BUFFERS,
      replaces: sessionStorage.getItem(REMEMBERED) ?? "",
    });
    sessionStorage.setItem(REMEMBERED, session.session);
    this.#session = session;
    this.tokens.take(session);
    this.watermark.show(session.watermark);
    this.#report = new Report(session, this.video, this.player, {
      onTokens: (answer) => this.tokens.take(answer) && this.pictures.freshen(),
      onStop: (reason, sentence) => this.#stopped(reason, sentence),
    });
    this.#report.start();
    return session;
  }

  async #load(session, start) {
    const obstacle = hindrance(session);
    if (obstacle) {
      this.#end();
      this.#give(words.ofHindrance(obstacle, session));
      return;
    }
    configure(this.player, session);
    await this.player.load(manifest(session), start);
    this.#loaded = true;
    this.onLoaded(session);
    if (session.thumbnails) {
      this.pictures.show(session.thumbnails);
    }
  }

  /** The server ended the session: go on in a new one where that is all it takes. */
  async #stopped(reason, sentence) {
    if (!isSilent(reason)) {
      // The lock screen would go on asking for a picture that is refused now.
      if ("mediaSession" in navigator) {
        navigator.mediaSession.metadata = null;
      }
      this.#give(words.ofStop(reason, sentence, this.video.currentTime));
      return;
    }
    await this.#goOn({ anew: reason === REPLACED });
  }

  /** Go on in a new session without a word; load the film again where it must be. */
  async #goOn({ anew }) {
    const before = this.#session;
    try {
      const session = await this.#begin();
      const other =
        session.asset !== before?.asset || session.version !== before?.version;
      if (anew || other) {
        await this.#reload(session);
      } else {
        await this.pictures.freshen();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Load again at the same place, as the viewer had it. */
  async #reload(session) {
    const { player, video } = this;
    const rate = player.getPlaybackRate();
    const [sound] = player.getAudioTracks().filter((track) => track.active);
    const [text] = player.getTextTracks().filter((track) => track.active);
    this.#paused = this.#loaded && video.paused;
    player.configure({
      preferredAudio: sound ? [likeSound(sound)] : [],
      preferredText: text ? [{ language: text.language }] : [],
    });
    await this.#load(session, video.currentTime || this.#start || session.resume_at);
    if (rate !== 1) {
      player.trickPlay(rate, false);
    }
  }

  async #failed(error) {
    if (error instanceof Refused) {
      this.#refused(error);
      return;
    }
    const grave = error.severity === undefined || error.severity === CRITICAL;
    // What comes after the first error, or after the end of a session, is its echo.
    const echo = this.notice.shown || this.#renewing;
    if (!grave || echo || SUPERSEDED.has(error.code)) {
      return;
    }
    if (!(await this.#renewed(error))) {
      this.#report?.send();
      this.#give(words.ofError(error, this.#session, this.video.currentTime));
    }
  }

  #refused(error) {
    this.video.pause();
    if (error.code !== "playback.limit") {
      this.#give(words.ofRefusal(error));
      return;
    }
    const place = this.video.currentTime || this.#start;
    this.others.ask(error.problem, {
      again: () => this.open(place),
      leave: () => this.#give(words.ofRefusal(error)),
    });
  }

  #give(said) {
    // Shaka may try to go on behind the notice, each time a segment later.
    this.#place = this.video.currentTime || this.#start;
    this.video.pause();
    this.notice.show(said);
  }

  /** Tokens run out while a machine sleeps: get fresh ones; but not over and over. */
  async #renewed(error) {
    const refusal = words.problem(error);
    const atDoor = refusal.code?.startsWith("licence.");
    const ofMedia = !atDoor && error.category === NETWORK && REFUSED.has(refusal.status);
    if (ofMedia && this.tokens.outdated(error.data[0])) {
      return this.player.retryStreaming();
    }
    const stale = ofMedia || STALE.has(refusal.code) || isSilent(refusal.reason);
    const lately = performance.now() - this.#renewedAt < PATIENCE_MILLISECONDS;
    if (lately || !stale) {
      return false;
    }
    this.#renewedAt = performance.now();
    try {
      return await this.#anew(atDoor);
    } catch (another) {
      if (another instanceof Refused) {
        this.#refused(another);
      }
      return another instanceof Refused;
    }
  }

  async #anew(atDoor) {
    this.#renewing = true;
    const session = await this.#begin().finally(() => (this.#renewing = false));
    if (atDoor || !this.#loaded) {
      await this.#reload(session);
      return true;
    }
    await this.pictures.freshen();
    return this.player.retryStreaming();
  }

  /** Tell the server at once that nobody watches any more, and where it was. */
  #leave() {
    this.#tell(this.#report?.untold ?? null);
    this.#end();
  }

  /** Tell the server a place that no heartbeat told. */
  #tell(place) {
    if (place !== null) {
      const path = `/api/v1/titles/${this.title}/progress`;
      call("PUT", path, { position: place }, { keepalive: true }).catch(() => {});
    }
  }

  #end() {
    this.#report?.stop();
    const path = `/api/v1/playback/${this.#session?.session}`;
    if (this.#session) {
      call("DELETE", path, undefined, { keepalive: true }).catch(() => {});
    }
  }

  /** The browser kept this page, and brings it back as it was. */
  #back() {
    if (this.#session && !this.notice.shown) {
      this.#goOn({ anew: false });
    }
  }
}

/** Say whether a session that ended so is followed by another without a word. */
function isSilent(reason) {
  return RENEWABLE.has(reason) || reason === REPLACED;
}

/** Tell this sound from others of its language: a description, or one in 5.1. */
function likeSound({ language, label, roles, channelsCount }) {
  return {
    language,
    label: label ?? "",
    role: roles[0] ?? "",
    channelCount: channelsCount ?? 0,
  };
}
