// The pictures of the seek bar.

export class Pictures {
  #track = null;

  constructor(player, tokens) {
    this.player = player;
    this.tokens = tokens;
  }

  /** Show those of ``address``; a seek bar without pictures still seeks. */
  async show(address) {
    this.#track = null;
    try {
      const url = new URL(address, location.href).href;
      this.#track = await this.player.addThumbnailsTrack(url, "text/vtt");
      await this.freshen();
    } catch {
      // Nothing is lost but the preview.
    }
  }

  /**
   * Put the freshest token into the addresses of the sheets. Shaka loads them as plain
   * images, past its request filters, but keeps one list of addresses for each cue and
   * hands out that list itself.
   */
  async freshen() {
    const all = this.#track && (await this.player.getAllThumbnails(this.#track.id));
    for (const each of all ?? []) {
      each.uris[0] = this.tokens.freshen(each.uris[0]);
    }
  }
}
