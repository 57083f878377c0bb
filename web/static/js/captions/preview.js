// The cues over the picture, as they are written at this moment.

export class Preview {
  #shown = null;

  constructor(box) {
    this.box = box;
  }

  /** Show these cues. The browser reads their tags; of them it knows harmless ones. */
  show(cues) {
    const key = JSON.stringify(cues.map((cue) => [cue.text, cue.settings]));
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    const lines = cues.flatMap((cue, number) => [...(number ? ["\n"] : []), drawn(cue)]);
    this.box.replaceChildren(...lines);
    const top = cues.length > 0 && cues.every((cue) => /\bline:0\b/.test(cue.settings));
    this.box.classList.toggle("top", top);
  }
}

function drawn(cue) {
  return new VTTCue(0, 1, escaped(cue.text)).getCueAsHTML();
}

/** Write signs that begin no tag of WebVTT as the server will keep them. */
function escaped(text) {
  return text
    .replace(/&(?![#A-Za-z0-9]{1,40};)/g, "&amp;")
    .replace(/<(?!\/?(?:i|b|u|c|v|lang|ruby|rt)\b[^<>]*>)/g, "&lt;");
}
