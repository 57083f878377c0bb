"""What choosing quality and renditions for a film saved against fixed rates. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.media.tracks import Track, TrackKind


@dataclass(frozen=True, slots=True)
class Savings:
    """Against a ladder that fills its rates; ``bytes`` may be negative.

    ``measured`` says that they are those of the tracks, not a forecast.
    """

    percent: int
    bytes: int
    measured: bool

    @property
    def smaller(self) -> bool:
        return self.bytes > 0


def of(
    analysis: Mapping[str, Any] | None, tracks: Sequence[Track], seconds: float | None
) -> Savings | None:
    """Return what was saved, None where no samples were compared.

    It counts renditions that are served and those that were left out; such as are
    still to be made are not held against either side.
    """
    chosen = list((analysis or {}).get("renditions", ()))
    if analysis is None or not chosen:
        return None
    served = {each.name: each for each in tracks if each.kind is TrackKind.VIDEO}
    made = [each for each in chosen if each["kept"] and each["name"] in served]
    if not made or not seconds:
        forecast = analysis["saved"]
        return Savings(forecast["percent"], forecast["bytes"], measured=False)
    counted = [*made, *(each for each in chosen if not each["kept"])]
    fixed = sum(each["cap"] for each in counted) * 125 * seconds
    stored = sum(served[each["name"]].bytes for each in made)
    saved = round(fixed - stored)
    return Savings(round(100 * saved / fixed), saved, measured=True)
