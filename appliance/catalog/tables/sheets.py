"""Tables as text: read from what spreadsheets write, written so that none runs it.

A cell that a spreadsheet would take for a formula is written with an apostrophe before
it, and one that was written so is read without: what is exported comes back as it was.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from appliance.errors import InvalidInput, TooLarge

_SEPARATORS = (",", ";", "\t")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_APOSTROPHE = re.compile(r"'+[=+\-@\t\r]")
_LONGEST_CELL = 20_000
_MOST_COLUMNS = 300
# How files begin that are no text: zip (and .xlsx), the old .xls, gzip, PDF.
_NO_TEXT = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF")
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table; ``number`` is its line in the file, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the names of its columns, and its rows as they were typed."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str
    separator: str


def read(data: bytes, *, most_rows: int, most_bytes: int) -> Sheet:
    """Read CSV in UTF-8, UTF-16 or Windows-1252, with commas, semicolons or tabs.

    Errors: ``InvalidInput`` with the line, ``TooLarge``.
    """
    if len(data) > most_bytes:
        raise TooLarge(
            "table.too-large",
            f"The table is larger than {most_bytes // 1_000_000} MB: split it.",
        )
    encoding, text = _decoded(data)
    separator, text = _separated(text)
    lines = list(_lines(text, separator, most_rows))
    if not lines:
        raise _refusal("The table is empty: its first line names the columns.")
    head, *rows = lines
    columns = tuple(cell.strip().lower() for cell in head.cells)
    if len(columns) > _MOST_COLUMNS:
        raise _refusal(f"A table has {_MOST_COLUMNS} columns at most.")
    return Sheet(columns, tuple(rows), encoding, separator)


def write(
    rows: Iterable[Sequence[str]], *, separator: str = ",", excel: bool = False
) -> Iterator[str]:
    """Yield the lines of a table; for ``excel`` with a mark of its encoding."""
    holder = io.StringIO()
    writer = csv.writer(holder, delimiter=separator, lineterminator="\r\n")
    if excel:
        yield BOM
    for row in rows:
        writer.writerow([defused(cell) for cell in row])
        yield holder.getvalue()
        holder.seek(0)
        holder.truncate()


def defused(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def undefused(cell: str) -> str:
    """Return a cell as it was before :func:`defused`."""
    return cell[1:] if _APOSTROPHE.match(cell) else cell


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith(_NO_TEXT):
        raise _refusal(
            "This is no CSV but a workbook or an archive: save it as “CSV UTF-8”"
            " in your spreadsheet, and take that file."
        )
    encoding, text = _text(data)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise _refusal(
            f"Line {line} holds a NUL, which no text has: save the table as"
            " “CSV UTF-8”."
        )
    return encoding, text


def _text(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return "utf-16", data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise _refusal("The table ends in the middle of a letter.") from error
    try:
        return "utf-8", data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Older spreadsheets on Windows; every byte but five means something there.
        return "windows-1252", data.decode("cp1252", errors="replace")


def _separated(text: str) -> tuple[str, str]:
    """Return what stands between cells, and the text without a line that says it."""
    hint = re.match(r'"?sep=([,;\t])"?\r?\n', text)
    if hint:
        return hint.group(1), text[hint.end() :]
    head = text.lstrip("\r\n").partition("\n")[0]
    unquoted = re.sub(r'"[^"]*"', "", head)
    return max(_SEPARATORS, key=unquoted.count), text


def _lines(text: str, separator: str, most_rows: int) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins, count = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if count > most_rows:
                    raise TooLarge(
                        "table.too-long",
                        f"The table has more than {most_rows:,} rows: split it.",
                    )
                if any(len(cell) > _LONGEST_CELL for cell in cells):
                    raise _refusal(
                        f"Line {begins} has a cell of more than {_LONGEST_CELL:,}"
                        " characters."
                    )
                yield Line(begins, tuple(cells))
                count += 1
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _refusal(
            f"Line {reader.line_num} can’t be read ({error}): is a quotation mark"
            " missing?"
        ) from error


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput("table.unreadable", sentence, {"field": "table"})
