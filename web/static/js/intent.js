// Whoever points at Play will want the player: fetch it before the press.

const PARTS = document.querySelector("[data-player-parts]")?.dataset.playerParts ?? "";
const WANTS = "a.play, [data-row=continue] a.card";

for (const event of ["pointerover", "focusin"]) {
  document.addEventListener(event, prepare);
}

function prepare(event) {
  if (!event.target.closest?.(WANTS)) {
    return;
  }
  document.removeEventListener("pointerover", prepare);
  document.removeEventListener("focusin", prepare);
  for (const part of PARTS.split(" ").filter(Boolean)) {
    fetch(part, { priority: "low" }).catch(() => {
      // The player page loads it itself.
    });
  }
}
