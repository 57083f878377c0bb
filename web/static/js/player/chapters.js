// The chapters of a film: marks on the bar and a menu, which Shaka draws, and steps
// from one to the next.
import { t } from "../words.js";

// So far into a chapter “back” means its own beginning.
const SETTLED_SECONDS = 3;

export class Chapters {
  all = [];

  constructor(player, video) {
    Object.assign(this, { player, video });
  }

  /** Show the chapters among the markers of a film that has been loaded. */
  async show(markers) {
    const found = markers.filter(({ kind }) => kind === "chapter");
    this.all = found.map((each, index) => ({
      start: each.start,
      end: found[index + 1]?.start ?? Math.max(each.end, each.start + 1),
      label: each.label || t("Chapter {n}", { n: index + 1 }),
    }));
    if (!this.all.length) {
      return;
    }
    // Shaka reads such an address itself: nothing is asked for.
    const address = `data:text/vtt;charset=utf-8,${encodeURIComponent(webvtt(this.all))}`;
    try {
      await this.player.addChaptersTrack(address, "und", "text/vtt");
    } catch {
      // Steps and the panel have them all the same.
    }
  }

  /** Return the chapter at a time, if there is one. */
  at(seconds) {
    return this.all.findLast(({ start }) => start <= seconds + 0.05);
  }

  /** Return the chapter that one step leads to; undefined beyond the first and last. */
  beside(direction) {
    const now = this.video.currentTime;
    if (direction > 0) {
      return this.all.find(({ start }) => start > now + 0.05);
    }
    return this.all.findLast(({ start }) => start < now - SETTLED_SECONDS) ?? this.all[0];
  }
}

function webvtt(all) {
  const cues = all.map(
    ({ start, end, label }) => `${time(start)} --> ${time(end)}\n${line(label)}\n`,
  );
  return `WEBVTT\n\n${cues.join("\n")}`;
}

function time(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return `${shown}.${String(Math.floor((seconds % 1) * 1000)).padStart(3, "0")}`;
}

function line(label) {
  return label.replace(/\s+/g, " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
