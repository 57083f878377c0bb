"""What a command says: its result on stdout, everything else on stderr.

With ``--json`` the result is one JSON document and an error is one too.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from appliance.errors import InvalidInput, MatineeError

_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(slots=True)
class Output:
    """How the command that runs speaks; ``json`` and ``quiet`` come from options."""

    json: bool = False
    quiet: bool = False

    def result(self, document: Any, text: str) -> None:
        """Print the result: ``document`` with ``--json``, else the ``text``."""
        if self.json:
            click.echo(as_json(document))
        elif text:
            click.echo(text)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        document: Any,
        *,
        empty: str = "Nothing to list.",
    ) -> None:
        """Print a list: ``document`` with ``--json``, else rows under their columns."""
        lines = [[str(cell) for cell in row] for row in rows]
        if self.json:
            click.echo(as_json(document))
        elif not lines:
            self.say(empty)
        else:
            _print_table(columns, lines)

    def say(self, sentence: str) -> None:
        """Tell a person, on stderr, what happens or what to do next."""
        if not self.quiet and not self.json:
            click.echo(sentence, err=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars on stderr; where stderr is no terminal nothing moves."""
        console = Console(stderr=True)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=self.quiet or self.json or not console.is_terminal,
        ) as progress:
            yield progress

    def confirm(self, sentence: str, yes: bool) -> None:
        """Ask before something is destroyed; ``yes`` answers in advance.

        Errors: ``InvalidInput`` without a terminal and without ``--yes``.
        """
        if yes:
            return
        if self.json or not sys.stdin.isatty():
            raise InvalidInput(
                "command.unconfirmed",
                f"{sentence} This is refused without --yes where nobody can answer.",
            )
        click.confirm(sentence, abort=True, err=True)


def failure(error: MatineeError, json_wanted: bool) -> None:
    """Print an error on stderr, in the form the caller asked for."""
    if json_wanted:
        body = {"code": error.code, "message": error.message, **error.details}
        click.echo(as_json({"error": body}), err=True)
    else:
        click.echo(f"{error.title}: {error.message}", err=True)


def as_json(document: Any) -> str:
    """Write one JSON document for a program, with text as text."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def pairs(values: Mapping[str, object]) -> str:
    """Return names and values as aligned lines."""
    width = max((len(name) for name in values), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in values.items())


def sized(size: float) -> str:
    """Write a number of bytes for a person."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def silence_stdout() -> None:
    """Let the interpreter end quietly after the reader of a pipe has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _print_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    console = Console()
    if not console.is_terminal:
        for line in (columns, *lines):
            click.echo("\t".join(line))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*line)
    console.print(table, markup=False)
