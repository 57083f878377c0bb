// What keys and buttons do: each changes the player and says so on the picture.
import { t } from "../words.js";

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function acts(video, player, controls, cue) {
  return {
    toggle() {
      if (video.paused) {
        video.play().catch(() => {});
      } else {
        video.pause();
      }
    },
    play() {
      video.play().catch(() => {});
    },
    pause() {
      video.pause();
    },
    to(seconds) {
      seek(video, seconds);
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
      cue(t("Volume {level} %", { level }));
    },
    mute() {
      video.muted = !video.muted;
      cue(video.muted ? t("Sound off") : t("Sound on"));
    },
    faster(direction) {
      // While it buffers the video itself stands still: the player knows the speed.
      const at = RATES.indexOf(player.getPlaybackRate());
      const rate = RATES[Math.min(RATES.length - 1, Math.max(0, at + direction))];
      player.trickPlay(rate, false);
      cue(t("Speed {rate}×", { rate }));
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

/** Say which captions come back when they are asked for, as on another day. */
export function prefer(language) {
  lastCaptions ??= language && language !== "off" ? language : null;
}

function toggleCaptions(player) {
  const tracks = player.getTextTracks();
  const active = tracks.find((track) => track.active);
  if (active) {
    lastCaptions = active.language;
    player.selectTextTrack(null);
    return t("Captions off");
  }
  const wanted = [lastCaptions, navigator.language.split("-")[0]];
  const found = wanted
    .map((language) => tracks.find((track) => track.language === language))
    .find(Boolean);
  const track = found ?? tracks[0];
  if (!track) {
    return t("No captions");
  }
  player.selectTextTrack(track);
  return t("Captions: {language}", { language: track.label || track.language });
}
