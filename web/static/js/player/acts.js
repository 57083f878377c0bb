// What keys and buttons do: each changes the player and says so on the picture.

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function acts(video, player, controls, cue, dialog) {
  return {
    toggle() {
      if (video.paused) {
        video.play().catch(() => {});
      } else {
        video.pause();
      }
    },
    skip(seconds) {
      seek(video, video.currentTime + seconds);
      cue(`${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`);
    },
    jump(share) {
      seek(video, video.duration * share);
      cue(clock(video.currentTime));
    },
    frame(seconds) {
      if (video.paused) {
        seek(video, video.currentTime + seconds);
      }
    },
    louder(percent) {
      const wanted = Math.round(video.volume * 100) + percent;
      const level = Math.min(100, Math.max(0, wanted));
      video.volume = level / 100;
      video.muted = level === 0;
      cue(`Volume ${level} %`);
    },
    mute() {
      video.muted = !video.muted;
      cue(video.muted ? "Sound off" : "Sound on");
    },
    faster(direction) {
      // While it buffers the video itself stands still: the player knows the speed.
      const at = RATES.indexOf(player.getPlaybackRate());
      const rate = RATES[Math.min(RATES.length - 1, Math.max(0, at + direction))];
      player.trickPlay(rate, false);
      cue(`Speed ${rate}×`);
    },
    captions() {
      cue(toggleCaptions(player));
    },
    fullscreen() {
      controls.toggleFullScreen();
    },
    pictureInPicture() {
      if (controls.isPiPAllowed()) {
        controls.togglePiP();
      }
    },
    help() {
      dialog.showModal();
    },
  };
}

/** Write a place in the film: 4:09, 1:04:09. */
export function clock(seconds) {
  const whole = Math.floor(seconds + 0.05);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((n, i) => (i ? String(n).padStart(2, "0") : n)).join(":");
}

function seek(video, seconds) {
  if (!Number.isFinite(video.duration)) {
    return;
  }
  const over = video.ended;
  video.currentTime = Math.min(video.duration, Math.max(0, seconds));
  if (over && seconds < video.duration) {
    video.play().catch(() => {});
  }
}

let lastCaptions = null;

function toggleCaptions(player) {
  const tracks = player.getTextTracks();
  const active = tracks.find((track) => track.active);
  if (active) {
    lastCaptions = active.language;
    player.selectTextTrack(null);
    return "Subtitles off";
  }
  const wanted = [lastCaptions, navigator.language.split("-")[0]];
  const found = wanted
    .map((language) => tracks.find((track) => track.language === language))
    .find(Boolean);
  const track = found ?? tracks[0];
  if (!track) {
    return "No subtitles";
  }
  player.selectTextTrack(track);
  return `Subtitles ${track.label || track.language}`;
}
