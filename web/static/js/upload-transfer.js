// One film on its way to the server: tus-js-client, with a checksum for every piece.
//
// `tus` is the UMD build that the page loads with a classic script before this module.
import { Meter } from "./upload-figures.js";

// Short gaps first, then half a minute for a night: a lost network or a server that is
// being restarted is no reason to give up an upload.
const DELAYS = [0, 500, 1000, 2000, 4000, 8000, 15000, ...new Array(2000).fill(30000)];
const WORTH_ANOTHER_TRY = new Set([408, 409, 423, 425, 429, 460]);
const SENTENCES = {
  401: "You were signed out. Sign in in another tab, then press Resume.",
  403: "This account may not go on with this upload.",
  404: "The server has no part of this upload any more. Choose the film above to start again.",
  413: "The server, or a proxy in front of it, refuses requests of this size.",
  507: "The server’s disk is full. What has arrived is kept: free some room, then resume.",
};

// States: sending, paused, waiting (for the server), arrived, and with a sentence
// stopped, or lost when there is nothing to go on with.
export class Transfer extends EventTarget {
  #file;
  #upload;
  #chunk;
  #meter = new Meter();
  #paused = false;
  #state = "";

  constructor(file, { endpoint, chunk, token, metadata }) {
    super();
    this.#file = file;
    this.#chunk = chunk;
    this.#upload = new tus.Upload(file, {
      endpoint: new URL(endpoint, document.baseURI).href,
      chunkSize: chunk,
      headers: { "X-CSRFToken": token },
      metadata: { filename: file.name, modified: String(file.lastModified), ...metadata },
      retryDelays: DELAYS,
      removeFingerprintOnSuccess: true,
      onBeforeRequest: (request) => this.#seal(request),
      onUploadUrlAvailable: () => this.#named(),
      onProgress: (sent, total) => this.#progressed(sent, total),
      onShouldRetry: (error) => this.#mayRetry(error),
      onError: (error) => this.#stopped(error),
      onSuccess: () => this.#move("arrived"),
    });
  }

  get active() {
    return this.#state === "sending" || this.#state === "waiting";
  }

  get url() {
    return this.#upload.url;
  }

  // What this browser remembers of earlier uploads of the same file: their addresses.
  async remembered() {
    const uploads = await this.#upload.findPreviousUploads();
    return uploads.sort((a, b) => Date.parse(b.creationTime) - Date.parse(a.creationTime));
  }

  // Go on with an upload that this browser remembers, or one the server told us of.
  continueFrom(previous) {
    this.#upload.resumeFromPreviousUpload(previous);
    this.#stayWithThisUpload();
  }

  describe(metadata) {
    Object.assign(this.#upload.options.metadata, metadata);
  }

  start() {
    this.#paused = false;
    this.#meter.restart();
    this.#move("sending");
    this.#upload.start();
  }

  pause() {
    this.#paused = true;
    this.#upload.abort();
    this.#move("paused");
  }

  // Try at once instead of at the end of the gap between two tries.
  retryNow() {
    this.#upload.abort();
    this.#upload.start();
  }

  async cancel() {
    this.#paused = true;
    await this.#upload.abort(true);
  }

  #named() {
    this.#stayWithThisUpload();
    this.dispatchEvent(new CustomEvent("named", { detail: { url: this.#upload.url } }));
  }

  // With an endpoint, tus-js-client answers any failed HEAD, even a 503 of a proxy, by
  // starting over from the first byte. Without one it reports, and we try again.
  #stayWithThisUpload() {
    this.#upload.options.endpoint = null;
  }

  async #seal(request) {
    if (request.getMethod() !== "PATCH" || !globalThis.crypto?.subtle) return;
    const from = Number(request.getHeader("Upload-Offset"));
    const piece = await this.#file.slice(from, from + this.#chunk).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", piece));
    if (this.#paused) throw new Error("paused while the piece was being read");
    request.setHeader("Upload-Checksum", `sha256 ${btoa(String.fromCharCode(...digest))}`);
  }

  #progressed(sent, total) {
    this.#move("sending");
    const speed = this.#meter.at(sent);
    const left = speed ? (total - sent) / speed : null;
    this.dispatchEvent(
      new CustomEvent("progress", { detail: { sent, total, speed, left } }),
    );
  }

  #mayRetry(error) {
    if (unreadable(error)) return false;
    const status = error.originalResponse?.getStatus() ?? 0;
    const again =
      status === 0 || (status >= 500 && status !== 507) || WORTH_ANOTHER_TRY.has(status);
    if (again) {
      this.#meter.restart();
      this.#move("waiting");
    }
    return again;
  }

  #stopped(error) {
    const lost = error.originalResponse?.getStatus() === 404;
    this.#move(lost ? "lost" : "stopped", sentence(error));
  }

  #move(state, problem = "") {
    if (state === this.#state && !problem) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, problem } }));
  }
}

function unreadable(error) {
  return ["NotReadableError", "NotFoundError"].includes(error.causingError?.name);
}

function sentence(error) {
  if (unreadable(error)) {
    return "The file can no longer be read: it was moved, changed or removed. Choose it again.";
  }
  const response = error.originalResponse;
  if (response?.getStatus() === 404) return SENTENCES[404];
  try {
    const { detail } = JSON.parse(response.getBody());
    if (detail) return detail;
  } catch {
    // No body, or a page of a proxy: the status has to do.
  }
  const status = response?.getStatus() ?? 0;
  return SENTENCES[status] ?? "The server can’t be reached. Check the network, then resume.";
}
