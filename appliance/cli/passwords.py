"""Take a password without ever taking it as an argument, where others could read it."""

import sys

import click

from appliance.errors import InvalidInput


def take(from_stdin: bool) -> str:
    """Return a password: a line of standard input, or asked for twice on a terminal.

    Errors: ``InvalidInput`` when there is neither.
    """
    if from_stdin:
        return _line()
    if not sys.stdin.isatty():
        raise InvalidInput(
            "password.missing",
            "There is no terminal to ask on: give the password with --password-stdin.",
        )
    answer: str = click.prompt(
        "Password", hide_input=True, confirmation_prompt=True, err=True
    )
    return answer


def _line() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InvalidInput("password.missing", "Standard input holds no password.")
    return password
