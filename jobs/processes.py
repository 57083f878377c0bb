"""What the worker processes have in common with one another, and with the command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.errors import MatineeError


@contextmanager
def ending_plainly() -> Iterator[None]:
    """End with one sentence and the exit code of an error that has them."""
    try:
        yield
    except MatineeError as error:
        print(f"{error.title}: {error.message}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
