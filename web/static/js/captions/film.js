// The film beside its captions: in the browser's own player, from an own session.
import { call, Refused } from "../api.js";
import { BUFFERS, configure, hindrance, holdForLicence, manifest } from "../player/opening.js";
import { Report } from "../player/report.js";
import { Tokens } from "../player/tokens.js";

const CRITICAL = 2;

export class Film {
  #session = null;
  #report = null;

  /** ``tell`` gets a sentence when the film can't be played, or no longer. */
  constructor(video, { title, device, tell }) {
    Object.assign(this, { video, title, device, tell });
    window.addEventListener("pagehide", () => this.#leave());
  }

  get now() {
    return Math.round(this.video.currentTime * 1000);
  }

  async open() {
    try {
      await this.#open();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Go to a time and play. */
  async play(milliseconds) {
    this.video.currentTime = milliseconds / 1000;
    await this.video.play().catch(() => {});
  }

  toggle() {
    if (this.video.paused) {
      this.video.play().catch(() => {});
    } else {
      this.video.pause();
    }
  }

  async #open() {
    shaka.polyfill.installAll();
    const [player, tokens] = [new shaka.Player(), new Tokens()];
    await player.attach(this.video);
    tokens.guard(player.getNetworkingEngine());
    holdForLicence(player);
    player.addEventListener("error", ({ detail }) => this.#failed(detail));
    const wish = {
      title: this.title,
      device: this.device,
      swaps: BUFFERS,
      preview: true,
    };
    this.#session = await call("POST", "/api/v1/playback", wish);
    tokens.take(this.#session);
    this.#report = new Report(this.#session, this.video, player, {
      onTokens: (answer) => tokens.take(answer),
      onStop: (_reason, sentence) => this.#stopped(sentence),
    });
    this.#report.start();
    if (hindrance(this.#session)) {
      this.#stopped("this browser opens no protected films from here.");
      return;
    }
    configure(player, this.#session);
    await player.load(manifest(this.#session), 0);
    player.selectTextTrack(null);
  }

  #failed(error) {
    const grave = error.severity === undefined || error.severity === CRITICAL;
    if (grave) {
      this.#stopped(error instanceof Refused ? error.message : "it can’t be loaded.");
    }
  }

  #stopped(sentence) {
    this.video.pause();
    this.tell(`The film does not play: ${sentence || "playing it was ended."}`);
  }

  #leave() {
    this.#report?.stop();
    if (this.#session) {
      const path = `/api/v1/playback/${this.#session.session}`;
      call("DELETE", path, undefined, { keepalive: true }).catch(() => {});
    }
  }
}
