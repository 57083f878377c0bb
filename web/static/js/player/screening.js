// One film being watched: its session, what keeps it going, what ends it.
import { call, Refused } from "../api.js";
import { Report } from "./report.js";

const CRITICAL = 2;
const NETWORK = 1;
const TOKEN_REFUSED = new Set([403, 410]);
const PATIENCE_MILLISECONDS = 30_000;
// Without these only the browser's own HLS is left (an old iPhone).
const BUFFERS = "MediaSource" in window || "ManagedMediaSource" in window;
// A machine that slept or a page that was gone misses heartbeats; nobody need know.
const RENEWABLE = new Set(["expired", "closed", "playback.missing"]);

export class Screening {
  #report = null;
  #renewedAt = -Infinity;
  #start;

  constructor({ title, video, player, token, pictures, notice }) {
    Object.assign(this, { title, video, player, token, pictures, notice });
    player.addEventListener("error", (event) => this.#failed(event.detail));
    notice.onRetry(() => this.open(video.currentTime || this.#start));
  }

  /** Play from ``start``, or without one from where the viewer stopped. */
  async open(start) {
    this.#start = start;
    try {
      const session = await this.#session();
      await this.player.load(manifest(session), start ?? session.resume_at);
      if (session.thumbnails) {
        this.pictures.show(session.thumbnails);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #session() {
    this.#report?.stop();
    const session = await call("POST", "/api/v1/playback", {
      title: this.title,
      device: "browser",
      swaps: BUFFERS,
    });
    this.token.swap(session.media_token);
    this.#report = new Report(session, this.video, this.player, {
      onToken: (text) => this.token.swap(text) && this.pictures.freshen(),
      onStop: (reason, sentence) => this.#stopped(session, reason, sentence),
    });
    this.#report.start();
    return session;
  }

  /** The server ended the session: go on in a new one where that is all it takes. */
  async #stopped(ended, reason, sentence) {
    if (!RENEWABLE.has(reason)) {
      // The lock screen would go on asking for a picture that is refused now.
      if ("mediaSession" in navigator) {
        navigator.mediaSession.metadata = null;
      }
      this.video.pause();
      this.notice.stopped(reason, sentence);
      return;
    }
    try {
      const session = await this.#session();
      await this.pictures.freshen();
      if (session.asset !== ended.asset) {
        await this.player.load(manifest(session), this.video.currentTime);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #failed(error) {
    if (error instanceof Refused) {
      this.notice.refused(error);
    } else if (error.severity === undefined || error.severity === CRITICAL) {
      if (ranOut(error) && (await this.#renewed())) {
        return;
      }
      this.#report?.send();
      this.notice.broken(`Error ${error.code ?? error.name}`, this.video.currentTime);
    }
  }

  /** Go on with the token of a new session; but not over and over. */
  async #renewed() {
    if (performance.now() - this.#renewedAt < PATIENCE_MILLISECONDS) {
      return false;
    }
    this.#renewedAt = performance.now();
    try {
      await this.#session();
      await this.pictures.freshen();
      return this.player.retryStreaming();
    } catch {
      return false;
    }
  }
}

function manifest(session) {
  const wanted = new URLSearchParams(location.search).get("format");
  const hls = wanted === "hls" || !BUFFERS;
  return new URL(hls ? session.manifests.hls : session.manifests.dash, location.href).href;
}

/** Say whether the media token was refused, as after the machine has slept. */
function ranOut(error) {
  const [, status] = error.data ?? [];
  return error.category === NETWORK && TOKEN_REFUSED.has(status);
}
