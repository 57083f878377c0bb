"""WebVTT that tells a seek bar which part of which sheet to show when."""

from appliance.media.tracks import Track


def webvtt(track: Track, duration: float) -> str:
    """Render one cue a picture; ``duration`` is the film's, in seconds.

    Addresses are relative to the file, which lies beside ``tracks/``.
    """
    facts = track.facts
    width, height, step = facts["width"], facts["height"], facts["step"]
    columns, on_sheet = facts["columns"], facts["columns"] * facts["rows"]
    lines = ["WEBVTT", ""]
    for index in range(facts["count"]):
        begin, end = index * step, min((index + 1) * step, duration)
        if end <= begin:
            break
        sheet = facts["sheets"][index // on_sheet]
        row, column = divmod(index % on_sheet, columns)
        lines += [
            f"{_time(begin)} --> {_time(end)}",
            f"tracks/{track.public_id}/{sheet}"
            f"#xywh={column * width},{row * height},{width},{height}",
            "",
        ]
    return "\n".join(lines)


def bandwidth(track: Track) -> int:
    """Return how many bits a second of the film takes in pictures."""
    seconds = track.facts["count"] * track.facts["step"]
    rate: float = track.bytes * 8 / max(1, seconds)
    return max(1, round(rate))


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
