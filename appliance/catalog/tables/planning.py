"""What a table would do to the catalogue: each row looked at, nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.catalog import custom_fields, fields, storing, titles
from appliance.catalog.custom_fields import Field
from appliance.catalog.kinds import Kind
from appliance.catalog.tables import columns
from appliance.catalog.tables.columns import Meaning
from appliance.catalog.tables.sheets import Line, Sheet, undefused
from appliance.catalog.title import Title
from appliance.catalog.translations import Translation
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.permissions import Action, Actor, check, check_title


class Does(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that changes something, as it was and as the table has it."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``errors`` name their column, empty for the row as a whole.

    ``title`` is the slug of what there is already. ``fields`` and ``custom`` are what
    is to be written.
    """

    line: int
    does: Does
    key: str
    name: str
    title: str = ""
    cells: tuple[Cell, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    parent: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every row of a table, in its order, and how the table was understood."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    encoding: str
    separator: str

    def count(self, does: Does) -> int:
        """Return how many rows do that."""
        return sum(each.does is does for each in self.rows)


def plan(db: Database, actor: Actor, sheet: Sheet) -> Plan:
    """Say what importing the table would do.

    Errors: ``InvalidInput`` for columns that say nothing to us, ``Forbidden``; what is
    wrong with a row stands at the row.
    """
    check(actor, Action.TITLE_IMPORT)
    own = {each.key: each for each in custom_fields.offered(db)}
    columns.check(sheet.columns, own.values())
    reader = _Reader(db, actor, sheet.columns, own)
    # What stands further down may be what a row is a part of.
    reader.names = {
        key for line in sheet.lines if (key := reader.key(reader.cells(line)))
    }
    rows = tuple(reader.row(line) for line in sheet.lines)
    return Plan(rows, sheet.columns, sheet.encoding, sheet.separator)


def find(db: Database, actor: Actor, key: str) -> Title | None:
    """Return the title with this external id, else with this slug, if one sees it."""
    row = db.one(
        """
        select slug, removed_at from titles where external_id = :key or slug = :key
        order by external_id = :key desc limit 1
        """,
        {"key": key},
    )
    if row is None:
        return None
    if row["removed_at"] is not None:
        raise InvalidInput(
            "table.trash",
            "That title is in the trash: take it back or remove it for good first.",
        )
    return titles.by_slug(db, actor, row["slug"])


@dataclass(slots=True)
class _Reader:
    """Looks at one row after another; remembers which titles they are about."""

    db: Database
    actor: Actor
    columns: Sequence[str]
    own: Mapping[str, Field]
    names: set[str] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)

    def cells(self, line: Line) -> dict[str, str]:
        pairs = zip(self.columns, line.cells, strict=False)
        return {name: undefused(cell.strip()) for name, cell in pairs if name}

    def key(self, cells: Mapping[str, str]) -> str:
        return next((cells[each] for each in columns.KEYS if cells.get(each)), "")

    def row(self, line: Line) -> Row:
        cells = self.cells(line)
        key, name = self.key(cells), cells.get("name", "")
        refused: dict[str, Any] = {"line": line.number, "key": key, "name": name}
        refused["does"] = Does.REFUSE
        wrong = self._wrong(line, key)
        if wrong is not None:
            return Row(**refused, errors=(wrong,))
        try:
            title = find(self.db, self.actor, key)
            if title is None and cells.get("external_id") and cells.get("slug"):
                title = find(self.db, self.actor, cells["slug"])
            if title is not None:
                check_title(self.actor, title.created_by)
            meaning = columns.read(self.db, cells, self.own)
            _clean(meaning)
            parent = self._parent(cells, meaning)
        except InvalidInput as error:
            return Row(**refused, errors=(("", error.message),))
        if title is None:
            _require_whole(cells, meaning)
            if not cells.get("external_id"):
                meaning.fields["external_id"] = key
        if meaning.errors:
            slug = title.slug if title else ""
            return Row(**refused, title=slug, errors=tuple(meaning.errors.items()))
        if title is None:
            return Row(
                *(line.number, Does.CREATE, key, name),
                cells=tuple(Cell(c, "", cells[c]) for c in cells if cells[c]),
                parent=parent,
                fields=meaning.fields,
                custom=meaning.custom,
            )
        return self._changed(line, cells, meaning, title, parent)

    def _wrong(self, line: Line, key: str) -> tuple[str, str] | None:
        """Return the column and sentence of what is wrong with the row as a whole."""
        extra = [cell for cell in line.cells[len(self.columns) :] if cell.strip()]
        if extra or len(line.cells) < len(self.columns):
            return "", (
                f"It has {len(line.cells)} cells, but the table {len(self.columns)}"
                " columns: is a quotation mark or a separator missing?"
            )
        if not key:
            return "external_id", "Give your own key of this title."
        if key in self.seen:
            return "external_id", f"Line {self.seen[key]} is about the same title."
        self.seen[key] = line.number
        return None

    def _parent(self, cells: Mapping[str, str], meaning: Meaning) -> str | None:
        """Return the key of what the title is a part of; None: it stays as it is."""
        if "parent" not in cells:
            return None
        key = cells["parent"]
        if key and key not in self.names:
            found = find(self.db, self.actor, key)
            if found is None:
                meaning.errors["parent"] = (
                    f"There is no title “{key[:60]}”, neither here nor in the table."
                )
        return key

    def _changed(
        self,
        line: Line,
        cells: Mapping[str, str],
        meaning: Meaning,
        title: Title,
        parent: str | None,
    ) -> Row:
        """Return a row about a title that is there: what of it differs."""
        written = columns.written(self.db, title, "", cells)
        changed = _differing(self.db, title, meaning.fields)
        custom = {
            key: value
            for key, value in meaning.custom.items()
            if value != title.custom.get(key)
        }
        moved = None
        if parent is not None and parent not in self._names_of_parent(title):
            moved = parent
        touched = {_COLUMN.get(each, each) for each in changed} | {
            f"custom:{key}" for key in custom
        }
        shown = tuple(
            Cell(name, written[name], cells[name])
            for name in cells
            if name in touched
            or (name == "parent" and moved is not None)
            or (
                "[" in name
                and "translations" in changed
                and written[name] != cells[name]
            )
        )
        does = Does.CHANGE if changed or custom or moved is not None else Does.SAME
        return Row(
            *(line.number, does, self.key(cells), cells.get("name") or title.name),
            title=title.slug,
            cells=shown,
            parent=moved,
            fields=changed,
            custom=custom,
        )

    def _names_of_parent(self, title: Title) -> tuple[str, ...]:
        if title.parent_id is None:
            return ("",)
        whole = titles.by_id(self.db, title.parent_id)
        return (whole.slug, whole.external_id or whole.slug)


_KEPT_WHEN_EMPTY = ("external_id", "season_number", "episode_number")
_COLUMN = {
    "season_number": "season",
    "episode_number": "episode",
    "library_id": "library",
}


def _clean(meaning: Meaning) -> None:
    """Let each field be as a title has it; what can't be is an error at its column."""
    for name in list(meaning.fields):
        value = meaning.fields.pop(name)
        given = {"translations": _full(value)} if name == "translations" else None
        try:
            cleaned = fields.clean(given or {name: value})
        except InvalidInput as error:
            column = _COLUMN.get(name, name)
            if name == "translations":
                column = next(f"name[{language}]" for language in value)
            meaning.errors[column] = error.message
        else:
            meaning.fields[name] = value if given else cleaned[name]


def _full(translations: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {language: dict(told) for language, told in translations.items()}


def _require_whole(cells: Mapping[str, str], meaning: Meaning) -> None:
    """Note what a new title lacks."""
    if not cells.get("name") and "name" not in meaning.errors:
        meaning.errors["name"] = "Give the title a name."
    kind = meaning.fields.get("kind", Kind.FILM)
    if kind in (Kind.EPISODE, Kind.TRAILER, Kind.EXTRA) and not cells.get("parent"):
        meaning.errors["parent"] = f"Say what the {kind} belongs to."


def _differing(db: Database, title: Title, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are not as the title has them."""
    changed = {}
    for name, value in given.items():
        if name == "translations":
            value = _merged(db, title, value)
            if value:
                changed[name] = value
        elif name in _KEPT_WHEN_EMPTY and value is None:
            # A number that was filled in stays, and so does the key of a title.
            continue
        elif name in ("tags", "credits"):
            if value != storing.as_stored(db, title.id, name):
                changed[name] = value
        elif value != getattr(title, name):
            changed[name] = value
    return changed


def _merged(
    db: Database, title: Title, given: Mapping[str, Mapping[str, str]]
) -> dict[str, Translation]:
    """Return translations that differ; what the table has no column for stays."""
    stored = storing.as_stored(db, title.id, "translations")
    spelt = {each.lower(): each for each in stored}
    given = {spelt.get(each.lower(), each): told for each, told in given.items()}
    cleaned = fields.clean(
        {
            "translations": {
                language: {
                    "name": stored.get(language, Translation()).name,
                    "synopsis": stored.get(language, Translation()).synopsis,
                    **told,
                }
                for language, told in given.items()
            }
        }
    )["translations"]
    return {
        language: told
        for language, told in cleaned.items()
        if told != stored.get(language, Translation())
    }
