// What is said when a film cannot begin or go on: a heading, a sentence, a way out.
// What doors and pages of ours refuse comes with a sentence of its own (problem+json).
import { t } from "../words.js";
import { clock } from "./acts.js";

// What appliance/playback/sessions.py calls its reasons.
const STOPPED = {
  "signed-out": {
    heading: t("You are signed out"),
    text: t("Sign in again to go on watching."),
    way: "sign-in",
  },
  "not-available": {
    heading: t("This film has left the library"),
    text: t("It was taken down while you were watching, or the time to watch it is over."),
    way: "back",
  },
  elsewhere: {
    heading: t("Stopped from another device"),
    text: t("Somebody with this account ended this stream, to watch elsewhere."),
    way: "go-on",
  },
  switched: {
    heading: t("Somebody else is watching now"),
    text: t("Another profile was chosen on this device."),
    way: "back",
  },
  terminated: {
    heading: t("This stream was ended"),
    text: t("Whoever runs this service has ended it. If it was a mistake, go on."),
    way: "go-on",
  },
};

// As much of a session as tells it from others, and the watermark shows too.
const REFERENCE = 8;

const REFUSED = t("No licence for this film");
const LICENCES = {
  "licence.signed-out": t("You are signed out"),
  "licence.not-allowed": t("You may not watch this film now"),
  "licence.key-system": t("This browser can’t open this film"),
  "licence.too-many": t("Too many licences"),
  "licence.keys-unavailable": t("The keys of this film are missing"),
};

// Errors of Shaka, https://shaka-player-demo.appspot.com/docs/api/shaka.util.Error.html
const BAD_HTTP_STATUS = 1001;
const UNDECRYPTED = new Set([3014, 3015, 3016]);
const NO_QUALITY = 4012;
const UNABLE = new Set([6000, 6001, 6002, 6003, 6010]);
const NO_SERVER = 6012;
const LICENCE_FAILED = 6007;
const LICENCE_USELESS = new Set([6006, 6008]);
const CERTIFICATES = new Set([6004, 6015, 6017]);
const INSECURE = 6020;
const SCREEN = new Set([6018, 6019]);

const BROWSERS = {
  "org.w3.clearkey": t("Chrome, Edge, Firefox or Safari, each not too old"),
  "com.widevine.alpha": t("Chrome, Edge, Firefox or an Android device"),
  "com.microsoft.playready": t("Edge on Windows"),
  "com.apple.fps": t("Safari on a Mac, an iPhone or an iPad"),
};

const OR = t("; or in ");

/** Say why the server ended a session. */
export function ofStop(reason, sentence, position) {
  const known = STOPPED[reason] ?? {
    heading: t("Playback was stopped"),
    text: sentence || t("Press Go on to continue where you were."),
    way: "go-on",
  };
  return { ...known, text: known.text + (known.way === "back" ? "" : kept(position)) };
}

/** Say why the server would not open a session; ``error`` is what api.js throws. */
export function ofRefusal(error) {
  const ways = { 401: "sign-in", 404: "back" };
  return {
    heading: error.heading || t("This film won’t play right now"),
    text: error.message,
    detail: error.code,
    way: ways[error.status] ?? "again",
  };
}

/** Say what this browser lacks; see ``hindrance`` in opening.js. */
export function ofHindrance(kind, session) {
  return kind === "insecure" ? insecure() : unable(session);
}

/** Say that the film waits for a key that does not come. */
export function ofSilence(position) {
  return {
    heading: t("Still waiting for the key"),
    text: t("The film is here, but what opens it has not come.") + kept(position),
    way: "again",
  };
}

/** Say what an error of the player means to whoever watches. */
export function ofError(error, session, position) {
  const words = (session?.protected && ofProtection(error, session)) || {
    heading: t("This film won’t play right now"),
    text: t("The stream stopped answering."),
    way: "again",
  };
  const text = words.way === "again" ? words.text + kept(position) : words.text;
  return { detail: detail(error, session), ...words, text };
}

/** Return the problem document that a refused request of the player brought. */
export function problem(error) {
  const inner = error.code === LICENCE_FAILED ? error.data?.[0] : error;
  const [, status, text] = inner?.code === BAD_HTTP_STATUS ? inner.data : [];
  try {
    return { status, ...JSON.parse(text) };
  } catch {
    return { status };
  }
}

function ofProtection(error, session) {
  const { code } = error;
  const refusal = problem(error);
  if (refusal.code?.startsWith("licence.")) {
    return ofLicence(refusal);
  }
  if (code === LICENCE_FAILED || CERTIFICATES.has(code)) {
    return {
      heading: t("The licence service does not answer"),
      text: t("The film is fine, but nothing that opens it came. Try again in a minute."),
      way: "again",
    };
  }
  if (code === NO_SERVER || UNABLE.has(code)) {
    return unable(session);
  }
  if (code === INSECURE) {
    return insecure();
  }
  return ofPicture(error);
}

function ofPicture({ code, data }) {
  const again = { way: "again" };
  if (UNDECRYPTED.has(code) || LICENCE_USELESS.has(code)) {
    return {
      heading: t("This film could not be decrypted"),
      text: t("The key that came does not fit it. Try again; if it stays like this, tell whoever runs this service that the film needs new keys."),
      ...again,
    };
  }
  const blocked = data?.[0]?.restrictedKeyStatuses ?? [];
  if (SCREEN.has(code) || blocked.includes("output-restricted")) {
    return {
      heading: t("This screen is not allowed"),
      text: t("The film asks for a screen and a cable with copy protection (HDCP)."),
      ...again,
    };
  }
  if (code === NO_QUALITY) {
    return {
      heading: t("This film is not included in any quality"),
      text: t("Your account does not include a quality that this player can show. Ask whoever runs this service."),
      ...again,
    };
  }
  return null;
}

function ofLicence(refusal) {
  const stopped = refusal.code === "licence.ended" && STOPPED[refusal.reason];
  const signIn = refusal.status === 401;
  return {
    ...(stopped || {
      heading: LICENCES[refusal.code] ?? REFUSED,
      text: refusal.detail,
      way: signIn ? "sign-in" : "again",
    }),
    detail: refusal.code,
  };
}

function insecure() {
  return {
    heading: t("This film needs a secure address"),
    text: t("It is protected, and browsers open protected films over https only. Open this page with https:// in front of its address, or ask whoever runs this service for that address."),
    way: "back",
  };
}

function unable(session) {
  const able = Object.keys(session.drm).map((system) => BROWSERS[system]);
  const text = able.length
    ? t("It is protected. You can watch it in {browsers}.", { browsers: able.join(OR) })
    : t("It is protected, and no licence service is set up for it. Please tell whoever runs this service.");
  return { heading: t("This browser can’t open this film"), text, way: "back" };
}

function kept(position) {
  return position > 1
    ? ` ${t("Your place ({time}) is kept.", { time: clock(position) })}`
    : "";
}

/** Return what helps whoever is asked for help: the session stands in the logs. */
function detail(error, session) {
  const { status } = problem(error);
  const parts = [t("Error {code}", { code: error.code ?? error.name }), status];
  if (session) {
    parts.push(t("Reference {id}", { id: session.session.slice(0, REFERENCE) }));
  }
  return [...parts, new Date().toLocaleString()].filter(Boolean).join(" · ");
}
