// The look of captions as the profile wants it: marks that css/watching.css reads.

/** What each part is where nothing was chosen; see appliance/accounts/tastes.py. */
export const USUAL = {
  size: "100",
  colour: "white",
  background: "half",
  edge: "none",
  position: "film",
  font: "sans",
};
const AREAS = { bottom: "BOTTOM_CENTER", top: "TOP_CENTER", film: "DEFAULT" };

/** Dress an element in which captions are drawn. */
export function dress(box, style) {
  for (const [part, usual] of Object.entries(USUAL)) {
    const name = `captions${part[0].toUpperCase()}${part.slice(1)}`;
    const value = style[part] ?? usual;
    if (value === usual) {
      delete box.dataset[name];
    } else {
      box.dataset[name] = value;
    }
  }
  box.style.setProperty("--captions-size", Number(style.size ?? USUAL.size) / 100);
}

/** Dress the captions of the film, now and whenever somebody chooses anew. */
export function wear(stage, player, preferences) {
  const put = () => {
    const style = preferences.values.caption_style;
    dress(stage, style);
    const area = shaka.config.PositionArea[AREAS[style.position ?? USUAL.position]];
    player.configure({ textDisplayer: { positionArea: area } });
  };
  put();
  preferences.addEventListener("change", put);
}
