// What the player shows at the doors: a media token in the path of what it fetches, and
// a playback token in the head of what it asks licences with. Heartbeats bring fresh
// ones, and every request carries the freshest.

const IN_PATH = /\/media\/[^/]+\//;
const LICENCES = "/licence/";
const BAD_HTTP_STATUS = 1001;

export class Tokens {
  #media = "";
  #playback = "";

  /** Take those of a session or a heartbeat; say whether the path is another now. */
  take({ media_token: media, token: playback }) {
    const changed = Boolean(media) && media !== this.#media;
    this.#media = media || this.#media;
    this.#playback = playback || this.#playback;
    return changed;
  }

  /** Return the absolute address with the freshest token in it. */
  freshen(address) {
    const url = new URL(address, location.href);
    if (url.origin === location.origin) {
      url.pathname = url.pathname.replace(IN_PATH, `/media/${this.#media}/`);
    }
    return url.href;
  }

  /** Say whether an address was asked for with a token before the freshest. */
  outdated(address) {
    return IN_PATH.test(address) && !address.includes(`/media/${this.#media}/`);
  }

  /** Make every request of the player carry the freshest tokens. */
  guard(network) {
    network.registerRequestFilter((_type, request) => {
      request.uris = request.uris.map((uri) => this.freshen(uri));
      if (request.uris.every(isLicence)) {
        request.headers.Authorization = `Bearer ${this.#playback}`;
      }
    });
    network.addEventListener("retry", dropRefused);
  }
}

function isLicence(uri) {
  const url = new URL(uri);
  return url.origin === location.origin && url.pathname.startsWith(LICENCES);
}

/** A door that has said no says no again: only what may pass is tried twice. */
function dropRefused(event) {
  const { code, data } = event.error;
  const [, status] = code === BAD_HTTP_STATUS ? data : [];
  if (status >= 400 && status < 500 && status !== 408) {
    event.preventDefault();
  }
}
