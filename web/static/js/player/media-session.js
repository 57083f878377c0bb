// What lock screens, headsets and keyboards show of the film, and their keys.

/** Keep the system told: the film, and whether there is one before and after it. */
export function announce(page, { next, before }) {
  if (!("mediaSession" in navigator)) {
    return { tell() {} };
  }
  return {
    tell() {
      const { title, whole } = page;
      navigator.mediaSession.metadata = new MediaMetadata({
        title: title.name,
        artist: [whole?.name, title.label].filter(Boolean).join(" · "),
        artwork: title.art ? [320, 640, 1280].map((width) => picture(title.art, width)) : [],
      });
      handle("nexttrack", page.next && next);
      handle("previoustrack", page.previous && before);
    },
  };
}

function handle(action, act) {
  try {
    navigator.mediaSession.setActionHandler(action, act || null);
  } catch {
    // This browser has no such key.
  }
}

function picture(art, width) {
  return {
    src: `/artwork/${art}/${width}.jpg`,
    sizes: `${width}x${Math.round((width * 9) / 16)}`,
    type: "image/jpeg",
  };
}
