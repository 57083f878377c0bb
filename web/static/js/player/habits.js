// What a viewer chose once is chosen for the next film: sound, captions, speed, and how
// much data a film may take.

const SAVER_HEIGHT = 480;
const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export class Habits {
  // Between loading and loaded the player chooses, not the viewer.
  #listening = false;
  #seen = {};
  #saves;

  constructor(player, video, preferences) {
    Object.assign(this, { player, video, preferences });
    this.#saves = preferences.values.data_saver || Boolean(asked());
    player.addEventListener("loading", () => (this.#listening = false));
    player.addEventListener("variantchanged", () => this.#notice());
    player.addEventListener("textchanged", () => this.#notice());
    video.addEventListener("ratechange", () => this.#noticeSpeed());
    this.#limit();
  }

  /** Say what the next film begins with, before it is loaded. */
  prepare() {
    const { audio, captions } = this.preferences.values;
    const wanted = captions && captions !== "off";
    this.player.configure({
      preferredAudio: audio ? [{ language: audio }] : [],
      preferredText: wanted ? [{ language: captions }] : [],
    });
  }

  /** Go on from what the player made of it; from here on changes are the viewer's. */
  begin() {
    const { speed } = this.preferences.values;
    if (speed !== this.player.getPlaybackRate()) {
      this.player.trickPlay(speed, false);
    }
    this.#seen = this.#chosen();
    this.#listening = true;
  }

  get saves() {
    return this.#saves;
  }

  /** Take less data, or as much as there is. */
  save(on) {
    this.#saves = on;
    this.#limit();
    this.preferences.keep({ data_saver: on });
  }

  #limit() {
    const maxHeight = this.#saves ? SAVER_HEIGHT : Infinity;
    this.player.configure({ abr: { enabled: true, restrictions: { maxHeight } } });
  }

  #notice() {
    if (!this.#listening) {
      return;
    }
    const chosen = this.#chosen();
    const changes = Object.entries(chosen).filter(
      ([name, value]) => value !== this.#seen[name],
    );
    this.#seen = chosen;
    this.preferences.keep(Object.fromEntries(changes));
  }

  #noticeSpeed() {
    const speed = this.player.getPlaybackRate();
    if (this.#listening && RATES.includes(speed)) {
      this.preferences.keep({ speed });
    }
  }

  #chosen() {
    const sound = this.player.getAudioTracks().find((track) => track.active);
    const text = this.player.getTextTracks().find((track) => track.active);
    return {
      ...(sound ? { audio: sound.language } : {}),
      captions: text?.language ?? "off",
    };
  }
}

/** Whether the browser was told to take little. */
function asked() {
  return navigator.connection?.saveData;
}
