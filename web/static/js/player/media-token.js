// The key to the media: a token in the path that lives for minutes and is swapped.

const IN_PATH = /\/media\/[^/]+\//;

export class MediaToken {
  text = "";

  /** Take a token of the server; return whether it is another than before. */
  swap(text) {
    const changed = Boolean(text) && text !== this.text;
    this.text = text || this.text;
    return changed;
  }

  /** Return the absolute address with the freshest token in it. */
  freshen(address) {
    const url = new URL(address, location.href);
    if (url.origin === location.origin) {
      url.pathname = url.pathname.replace(IN_PATH, `/media/${this.text}/`);
    }
    return url.href;
  }

  /** Make every request of the player carry the freshest token. */
  guard(network) {
    network.registerRequestFilter((_type, request) => {
      request.uris = request.uris.map((uri) => this.freshen(uri));
    });
  }
}
