// What opens a protected film: where its licences come from, and what this browser can.

// Without these only the browser's own HLS is left (an old iPhone).
export const BUFFERS = "MediaSource" in window || "ManagedMediaSource" in window;

const FAIRPLAY = "com.apple.fps";
const CLEARKEY = "org.w3.clearkey";
const STRONGEST_FIRST = [
  FAIRPLAY,
  "com.widevine.alpha",
  "com.microsoft.playready",
  CLEARKEY,
];
const APPLE = (navigator.vendor ?? "").includes("Apple");
const SEGMENT = 1;
const MEDIA_SEGMENT = 1;

/** Say what stands between this page and the film: "", "insecure" or "browser". */
export function hindrance(session) {
  if (!session.protected) {
    return "";
  }
  // Browsers hide what opens protected films from pages that came over plain http.
  if (!window.isSecureContext) {
    return "insecure";
  }
  const able =
    "requestMediaKeySystemAccess" in navigator && (BUFFERS || FAIRPLAY in session.drm);
  return able ? "" : "browser";
}

/** Return the address of the manifest that suits this browser; ?format= decides. */
export function manifest(session) {
  return absolute(playsHls(session) ? session.manifests.hls : session.manifests.dash);
}

/**
 * FairPlay is at home in HLS. Where Shaka decrypts by itself it does not learn of the
 * keys that HLS brings later, as with another quality: DASH names all at once.
 */
function playsHls(session) {
  if (!BUFFERS) {
    return true;
  }
  if (APPLE && session.protected) {
    return FAIRPLAY in session.drm;
  }
  return new URLSearchParams(location.search).get("format") === "hls";
}

/** Tell the player where licences are; of several systems the strongest counts. */
export function configure(player, session) {
  const servers = mapped(session.drm, absolute);
  const advanced = mapped(session.certificates, (address) => ({
    serverCertificateUri: absolute(address),
  }));
  // What is not given anew would stay from the session before.
  player.configure({ drm: { servers: undefined, advanced: undefined } });
  player.configure({
    drm: {
      servers,
      advanced,
      preferredKeySystems: STRONGEST_FIRST.filter((each) => each in session.drm),
      retryParameters: { maxAttempts: 2, baseDelay: 700, timeout: 20_000 },
    },
    // Where the film goes through our hands its tokens can be swapped.
    streaming: { useNativeHlsForFairPlay: false },
  });
}

/**
 * On Apple's browsers Shaka decrypts ClearKey films itself, with the keys that it has
 * when the first segment comes, and never looks again: hold segments until the licence
 * has come, or has failed.
 */
export function holdForLicence(player) {
  if (!APPLE) {
    return;
  }
  let licence = Promise.resolve();
  let release = () => {};
  player.addEventListener("loading", () => {
    licence = new Promise((resolve) => (release = resolve));
  });
  for (const event of ["drmsessionupdate", "error", "unloading"]) {
    player.addEventListener(event, () => release());
  }
  player.getNetworkingEngine().registerResponseFilter((type, _response, context) => {
    const film = type === SEGMENT && context?.type === MEDIA_SEGMENT;
    return film && waitsForLicence(player) ? licence : undefined;
  });
}

/** Raw keys of HLS are in the player's hands before the first segment is asked for. */
function waitsForLicence(player) {
  const found = player.drmInfo();
  return found?.keySystem === CLEARKEY && !found.licenseServerUri.startsWith("data:");
}

function mapped(values, act) {
  const entries = Object.entries(values ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, act(value)]));
}

function absolute(address) {
  return new URL(address, location.href).href;
}
