"""Times in a film, as people write them."""

import re

from appliance.errors import InvalidInput

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,6}(?:[.,]\d{1,6})?)")


def seconds(text: str) -> float:
    """Read 42, 1:42.5 or 1:02:03 as seconds. Errors: ``InvalidInput``."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            "time.unknown",
            f"“{text[:40]}” is no time: write seconds, m:ss or h:mm:ss.",
        )
    hours, minutes, rest = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60
    return whole + float(rest.replace(",", "."))


def clock(value: float) -> str:
    """Write seconds as h:mm:ss.mmm."""
    whole, thousandths = divmod(round(value * 1000), 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}"
