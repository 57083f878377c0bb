// A silent clip of the film while the pointer rests on its card: one at a time, only
// where something hovers, and never for those who want no motion or save data. Pages of
// profiles that switched it off do without this script.
const REST_MILLISECONDS = 600;

const wanted =
  matchMedia("(hover: hover)").matches &&
  !matchMedia("(prefers-reduced-motion: reduce)").matches &&
  !matchMedia("(prefers-reduced-data: reduce)").matches &&
  !navigator.connection?.saveData;

let waiting = 0;
let playing = null;

if (wanted) {
  document.addEventListener("pointerover", (event) => {
    const card = event.pointerType === "mouse" ? event.target.closest?.("[data-preview]") : null;
    if (card !== playing?.card) {
      stop();
      if (card) {
        waiting = setTimeout(start, REST_MILLISECONDS, card);
        playing = { card };
      }
    }
  });
  document.addEventListener("keydown", stop);
  addEventListener("pagehide", stop);
  addEventListener("blur", stop);
}

function start(card) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, loop: false, preload: "auto" });
  video.disablePictureInPicture = true;
  video.setAttribute("aria-hidden", "true");
  video.className = "clip";
  video.addEventListener("playing", () => video.classList.add("on"), { once: true });
  video.addEventListener("ended", stop);
  video.addEventListener("error", stop);
  video.src = card.dataset.preview;
  card.querySelector(".art").append(video);
  playing = { card, video };
  video.play().catch(stop);
}

function stop() {
  clearTimeout(waiting);
  if (playing?.video) {
    playing.video.removeAttribute("src");
    playing.video.load();
    playing.video.remove();
  }
  playing = null;
}
