"""What is refused, as viewers read it: in their own language.

The core refuses in English, and so do the API, commands and logs. Beside this one stand
the sentences that people read instead, by the code of the error and by subject; a
sentence takes its figures and names from the details of the error. A test finds a code
that viewers can meet and that has none here.
"""

from collections.abc import Mapping
from typing import TypeVar

from flask_babel import get_locale, gettext

from appliance.errors import MatineeError
from web.refusals import accounts, places, watching
from web.refusals.sentences import Sentences
from web.refusals.titles import TITLES

_Said = TypeVar("_Said")

SENTENCES: Sentences = {
    **accounts.SENTENCES,
    **watching.SENTENCES,
    **places.SENTENCES,
}
"""By code; ``filter.*`` is for each code of that subject that has none of its own."""


def said(error: MatineeError) -> str:
    """Return the sentence of an error in the language of the request."""
    if _in_english():
        return error.message
    sentence = _of(error.code, SENTENCES)
    if sentence is None:
        return _otherwise(error)
    return sentence(error) if callable(sentence) else str(sentence) % error.details


def titled(code: str, english: str) -> str:
    """Return the heading of an error in the language of the request."""
    if _in_english():
        return english
    return str(_of(code, TITLES) or gettext(english))


def _of(code: str, table: Mapping[str, _Said]) -> _Said | None:
    return table.get(code) or table.get(f"{code.partition('.')[0]}.*")


def _otherwise(error: MatineeError) -> str:
    """Say what none but operators meet: what is out of order, they find in the log."""
    if error.status < 500:
        return error.message
    return str(
        gettext(
            "This can’t be done at the moment. Try again later, and tell whoever runs"
            " this service if it stays like this."
        )
    )


def _in_english() -> bool:
    locale = get_locale()
    return locale is None or locale.language == "en"
