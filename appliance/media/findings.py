"""What verification found, as it is kept: verdicts, and how parts make a whole."""

from collections.abc import Mapping
from typing import Any

# From good to bad; a report has the verdict of its worst check.
LEVELS = ("pass", "warn", "fail")
VERDICTS = ("passed", "warned", "failed")


def together(before: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was found of a part together with what is known of the rest.

    What was found anew takes the place of what was said of the same track before.
    """
    said = {(each["id"], each["track"]) for each in new.get("checks", [])}
    checks = [
        *new.get("checks", []),
        *(
            each
            for each in before.get("checks", [])
            if (each["id"], each["track"]) not in said
        ),
    ]
    lines = {(each["kind"], each["name"]): each for each in before.get("tracks", [])}
    for each in new.get("tracks", []):
        key = (each["kind"], each["name"])
        lines[key] = {**lines.get(key, {}), **each}
    levels = {each["level"] for each in checks} or {"pass"}
    worst = VERDICTS[max(map(LEVELS.index, levels))]
    return {
        **before,
        **new,
        "verdict": worst,
        "checks": checks,
        "tracks": list(lines.values()),
        "scores": new.get("scores") or before.get("scores") or {},
    }
