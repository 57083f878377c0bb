"""Which keys of a film are within a viewer's reach, by height and by name."""

from collections.abc import Collection, Sequence

from appliance.cenc import Label, video_label
from appliance.errors import Forbidden
from appliance.protection.keys import ContentKey

_VIDEO = (Label.SD, Label.HD, Label.UHD)


def within(
    keys: Sequence[ContentKey], max_height: int | None
) -> tuple[ContentKey, ...]:
    """Return the keys of what is shown up to a height; None: all.

    Manifests keep the lowest renditions even above the height: so do licences.
    """
    if max_height is None:
        return tuple(keys)
    lowest = min((_VIDEO.index(each.label) for each in _videos(keys)), default=0)
    top = max(_VIDEO.index(video_label(max_height)), lowest)
    allowed = {Label.AUDIO, *_VIDEO[: top + 1]}
    return tuple(each for each in keys if each.label in allowed)


def pick(
    keys: Sequence[ContentKey], max_height: int | None, kids: Collection[str]
) -> tuple[ContentKey, ...]:
    """Return those of ``kids`` that the viewer's quality includes.

    A kid of another film refuses everything: nobody asks for one by mistake. One that
    is too sharp is left out, so that a player which asks for all stays below it.
    Errors: ``Forbidden`` licence.kid.
    """
    if not set(kids) <= {each.kid for each in keys}:
        raise Forbidden(
            "licence.kid",
            "A key that was asked for does not belong to this film: press Play again.",
        )
    found = tuple(each for each in within(keys, max_height) if each.kid in kids)
    if not found:
        raise Forbidden(
            "licence.kid", "Your account does not include this film in this quality."
        )
    return found


def _videos(keys: Sequence[ContentKey]) -> list[ContentKey]:
    return [each for each in keys if each.label in _VIDEO]
