"""What the workers say: one line each on stderr, for journald or a terminal."""

import logging


def to_stderr() -> None:
    """Write our own log from INFO on, and of libraries only what went wrong."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("jobs").setLevel(logging.INFO)
    logging.getLogger("matinee").setLevel(logging.INFO)
