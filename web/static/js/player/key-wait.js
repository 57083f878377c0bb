// A film whose key does not come stands still without any error: notice it.

const PATIENCE_MILLISECONDS = 10_000;

/** Call ``act`` when the film waits for a key longer than anybody should. */
export function watchForKeys(video, act) {
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
  };
  video.addEventListener("waitingforkey", () => {
    timer ||= setTimeout(() => {
      timer = 0;
      if (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) {
        act();
      }
    }, PATIENCE_MILLISECONDS);
  });
  for (const event of ["playing", "emptied"]) {
    video.addEventListener(event, stop);
  }
}
