// What the player shows at the doors: on each host that serves the film a folder with a
// token in its path or its query, and a playback token in the head of what it asks
// licences with. Heartbeats bring fresh ones, and every request carries the freshest.
import { OF_PAGE } from "../words.js";

// /media/<token>/<asset>/… or, for CDNs, /media/<asset>/<scope>/…
const OF_MEDIA = /\/media\/([^/]+)\/([^/]+)\/(.+)$/;
const KEYS = "key/";
const LICENCES = "/licence/";
const BAD_HTTP_STATUS = 1001;

export class Tokens {
  #asset = "";
  #hosts = new Map();
  #playback = "";

  /** Take those of a session or a heartbeat; say whether an address is another now. */
  take({ asset, hosts, media_token: media, token: playback }) {
    const before = shown(this.#hosts);
    this.#asset = asset ?? this.#asset;
    for (const each of hosts ?? []) {
      this.#hosts.set(origin(each.host), each);
    }
    if (media) {
      const path = `/media/${media}/${this.#asset}/`;
      this.#hosts.set(location.origin, { path, query: "" });
    }
    this.#playback = playback || this.#playback;
    return shown(this.#hosts) !== before;
  }

  /** Return the absolute address, with the folder and the query that count now. */
  freshen(address) {
    const url = new URL(address, location.href);
    const [, first, second, name] = OF_MEDIA.exec(url.pathname) ?? [];
    if (!this.#hosts.has(url.origin) || ![first, second].includes(this.#asset)) {
      return url.href;
    }
    // A key is given to this session, and never by a cache.
    const from = name.startsWith(KEYS) ? location.origin : url.origin;
    const { path, query } = this.#hosts.get(from);
    return `${from}${path}${name}${joined(url.search, query)}`;
  }

  /** Say whether an address was asked for with a token before the freshest. */
  outdated(address) {
    return this.freshen(address) !== new URL(address, location.href).href;
  }

  /** Make every request of the player carry the freshest tokens. */
  guard(network) {
    network.registerRequestFilter((_type, request) => {
      const fresh = request.uris.map((uri) => this.freshen(uri));
      request.uris = this.#withLastResort(fresh);
      if (request.uris.every((uri) => isLicence(uri) || isKey(uri))) {
        Object.assign(request.headers, OF_PAGE);
      }
      if (request.uris.every(isLicence)) {
        request.headers.Authorization = `Bearer ${this.#playback}`;
      }
    });
    network.addEventListener("retry", dropRefused);
  }

  /** Put this server behind the other hosts of a film, for when they all fail. */
  #withLastResort(uris) {
    const ours = (uri) => new URL(uri).origin === location.origin;
    const [{ origin, pathname }] = uris.map((uri) => new URL(uri));
    if (uris.some(ours) || !this.#hosts.has(origin) || !OF_MEDIA.test(pathname)) {
      return uris;
    }
    return [...uris, this.freshen(location.origin + pathname)];
  }
}

function origin(host) {
  return host ? new URL(host).origin : location.origin;
}

function shown(hosts) {
  return JSON.stringify([...hosts]);
}

/** Put a query to what an address has already, in place of fields of the same names. */
function joined(search, query) {
  const names = new Set(query.split("&").map(nameOf));
  const kept = search.slice(1).split("&").filter((each) => !names.has(nameOf(each)));
  const all = [...kept, query].filter(Boolean);
  return all.length ? `?${all.join("&")}` : "";
}

function nameOf(field) {
  return field.split("=", 1)[0];
}

function isLicence(uri) {
  const url = new URL(uri);
  return url.origin === location.origin && url.pathname.startsWith(LICENCES);
}

function isKey(uri) {
  const url = new URL(uri);
  const [, , , name] = OF_MEDIA.exec(url.pathname) ?? [];
  return url.origin === location.origin && Boolean(name?.startsWith(KEYS));
}

/**
 * This server's door, when it has said no, says no again. Elsewhere another door comes
 * next: an edge may lack the newest key, or have fewer files.
 */
function dropRefused(event) {
  const { code, data } = event.error;
  const [uri, status] = code === BAD_HTTP_STATUS ? data : [];
  const refused = status >= 400 && status < 500 && status !== 408;
  if (refused && new URL(uri).origin === location.origin) {
    event.preventDefault();
  }
}
