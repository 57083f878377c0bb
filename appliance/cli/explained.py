"""How the command line speaks of rights, windows, limits and decisions."""

from collections.abc import Iterator

from appliance.access import countries
from appliance.access.evaluate import Reason
from appliance.cli import output
from appliance.errors import InvalidInput
from appliance.playback.explanation import Explanation


def text(found: Explanation) -> str:
    """Return a decision as a person reads it, with all that led to it."""
    return "\n".join(_lines(found))


def span(starts_at: str | None, ends_at: str | None) -> str:
    """Write a time that may be open at either end; UTC, to the minute."""
    parts = [
        f"{word} {moment[:16].replace('T', ' ')}"
        for word, moment in (("from", starts_at), ("until", ends_at))
        if moment
    ]
    return " ".join(parts) or "always"


def limits(streams: int | None, uhd_streams: int | None, max_height: int | None) -> str:
    """Write the limits of a right; what it says nothing about is left out."""
    parts = [] if streams is None else [f"{_many(streams)} streams"]
    parts += [] if uhd_streams is None else [f"{_many(uhd_streams)} in UHD"]
    parts += [] if max_height is None else [height(max_height)]
    return ", ".join(parts) or "none of its own"


def height(max_height: int | None) -> str:
    """Write up to which quality something may be watched."""
    return f"up to {max_height}p" if max_height else "any quality"


def age(given: str) -> int | None:
    """Read an age, or ``none``. Errors: ``InvalidInput``."""
    if given.casefold() == "none":
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 4):
        raise InvalidInput("profile.limit", "AGE is a whole number, or none.")
    return int(given)


def _lines(found: Explanation) -> Iterator[str]:
    decision = found.decision
    verdict = "may watch" if decision.allowed else "may not watch"
    when = found.at[:16].replace("T", " ")
    yield f"{found.account.username} {verdict} “{found.title.name}” at {when} UTC."
    for reason in decision.reasons:
        yield f"  {reason}: {decision.spoken(reason)}"
    if found.previews:
        yield "  They may edit this title, and so preview it without a right."
    yield ""
    yield output.pairs(_circumstances(found))
    yield ""
    yield "Rights:" if found.rights else "Rights: none."
    for right in found.rights:
        each = right.right
        own = limits(each.streams, each.uhd_streams, each.max_height)
        when = span(each.starts_at, each.ends_at)
        yield _considered(right.reasons, each.public_id, each.source, when, own)
    yield "Windows:" if found.windows else "Windows: none, so always and everywhere."
    for shown in found.windows:
        window = shown.window
        yield _considered(
            shown.reasons,
            window.public_id,
            span(window.starts_at, window.ends_at),
            window.group or "everybody",
            ", ".join(sorted(window.territories)) or "all countries",
            height(window.max_height),
        )


def _circumstances(found: Explanation) -> dict[str, object]:
    allowed, profile = found.decision.limits, found.profile
    country = found.territory and countries.name(found.territory)
    limit = "no limit" if profile.rating_limit is None else profile.rating_limit
    rated = "unknown" if found.rating_age is None else found.rating_age
    return {
        "Account": f"{found.account.username}, {found.account.state.value}",
        "Profile": f"{profile.name}, age limit: {limit}",
        "Title": f"{found.title.slug}, {found.title.state.value}",
        "Rating": f"{found.title.rating or 'none'}, age: {rated}",
        "Address": f"{found.address or 'unknown'}, country: {country or 'unknown'}",
        "Streams": f"{found.watching} now, {_most(allowed.streams)}",
        "UHD streams": _most(allowed.uhd_streams),
        "Quality": height(allowed.max_height),
        "Until": found.decision.until or "no end",
    }


def _considered(reasons: tuple[Reason, ...], *cells: str) -> str:
    verdict = "counts" if not reasons else f"does not count: {', '.join(reasons)}"
    return f"  {'  '.join(cells)}  [{verdict}]"


def _most(number: int) -> str:
    return f"at most {number}" if number else "no limit"


def _many(number: int) -> str:
    return str(number) if number else "no limit"
