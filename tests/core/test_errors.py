"""The one family of errors, as the edges rely on it."""

from collections.abc import Iterator

from appliance import errors
from appliance.errors import MatineeError

# Scripts of operators test these codes.
EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 75, 130}


def family() -> Iterator[type[MatineeError]]:
    yield MatineeError
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, MatineeError):
            yield each


def test_every_error_has_a_status_an_exit_code_and_a_title() -> None:
    for kind in family():
        assert 400 <= kind.status <= 599, kind
        assert kind.exit_code in EXIT_CODES - {0}, kind
        assert kind.title, kind


def test_an_error_carries_a_code_a_sentence_and_details() -> None:
    error = errors.TooManyRequests(
        "sign-in.slow", "Wait a minute.", {"retry_after": 60}
    )

    assert (error.code, str(error)) == ("sign-in.slow", "Wait a minute.")
    assert error.details == {"retry_after": 60}


def test_no_error_is_said_twice() -> None:
    kinds = list(dict.fromkeys(family()))

    assert len({kind.title for kind in kinds}) == len(kinds)
