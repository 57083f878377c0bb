"""Tables of titles: read from any spreadsheet, planned, imported, exported again."""

import zlib
from typing import Any

import pytest

from appliance.catalog import custom_fields, imports, titles, trash
from appliance.catalog.tables import columns, exporting, sheets
from appliance.catalog.tables.planning import Does, Plan
from appliance.catalog.tables.running import Result
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, TooLarge
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

HEAD = "external_id,name,year"


def brought(db: Database, settings: Settings, text: str | bytes) -> list[Result]:
    data = text.encode() if isinstance(text, str) else text
    return imports.at_once(db, settings, SYSTEM, data)


def looked(db: Database, settings: Settings, text: str) -> Plan:
    return imports.look(db, settings, SYSTEM, text.encode())


def words(results: list[Result]) -> list[str]:
    return [each.does.value for each in results]


@pytest.mark.parametrize(
    "data",
    [
        "external_id,name\nf1,Café Müller\n".encode(),
        "\ufeffexternal_id,name\r\nf1,Café Müller\r\n".encode(),
        "External_ID;Name\r\nf1;Café Müller\r\n".encode(),
        "sep=;\r\nexternal_id;name\r\nf1;Café Müller\r\n".encode(),
        "external_id\tname\nf1\tCafé Müller\n".encode("utf-16"),
        "external_id;name\nf1;Café Müller\n".encode("cp1252"),
        'external_id,name\n"f1","Café Müller"'.encode(),
        "\n\nexternal_id,name\n,\nf1,Café Müller\n\n".encode(),
    ],
)
def test_every_spreadsheet_is_understood(
    db: Database, settings: Settings, data: bytes
) -> None:
    (result,) = brought(db, settings, data)

    assert titles.by_slug(db, SYSTEM, result.slug).name == "Café Müller"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 a workbook", "CSV UTF-8"),
        (b"\x1f\x8b" + zlib.compress(b"0" * 10_000_000), "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "CSV UTF-8"),
        (b"external_id,name\nf1,a\0b\n", "Line 2 holds a NUL"),
        ("external_id,name\n".encode("utf-16-le"), "NUL"),
        (b'external_id,name\nf1,"open\n', "quotation mark"),
        (b"name,year\nFilm,2020\n", "external_id"),
        (b"external_id,name,colour\nf1,Film,red\n", "no column “colour”"),
        (b"external_id,name,name\nf1,Film,Film\n", "twice"),
        (b"external_id,name,custom:cost\nf1,Film,3\n", "custom:cost"),
        (b"external_id,name\nf1," + b"x" * 20_001, "20,000"),
        ((",".join(["external_id"] + ["name"] * 400)).encode(), "300 columns"),
        (b"<html><body>not a table</body></html>", "no column"),
    ],
)
def test_what_is_no_table_of_titles_is_refused_in_a_sentence(
    db: Database, settings: Settings, data: bytes, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        imports.look(db, settings, SYSTEM, data)


def test_a_table_has_a_size(db: Database, settings: Settings) -> None:
    with pytest.raises(TooLarge, match="10,000 rows"):
        rows = "\n".join(f"f{each},Film,2020" for each in range(10_001))
        looked(db, settings, f"{HEAD}\n{rows}")
    with pytest.raises(TooLarge, match="20 MB"):
        imports.look(db, settings, SYSTEM, b"x" * 20_000_001)


def test_a_plan_says_what_becomes_of_each_row_and_writes_nothing(
    db: Database, settings: Settings, make: Builders
) -> None:
    make.title("Orchard", external_id="f1", year=2019)
    make.title("Harbour", external_id="f2", year=2020)
    before = list(db.conn.iterdump())

    plan = looked(
        db,
        settings,
        f"{HEAD}\nf1,Orchard,2020\nf2,Harbour,2020\nf3,New,\nf4,,next year\n,No key,\n"
        "f1,Again,\nf5,Too,few,many\n",
    )

    assert [each.does for each in plan.rows] == [
        *(Does.CHANGE, Does.SAME, Does.CREATE),
        *(Does.REFUSE, Does.REFUSE, Does.REFUSE, Does.REFUSE),
    ]
    (cell,) = plan.rows[0].cells
    assert (cell.column, cell.before, cell.after) == ("year", "2019", "2020")
    assert dict(plan.rows[3].errors) == {
        "year": "The year is a number from 1870 to 2200.",
        "name": "Give the title a name.",
    }
    assert [each.line for each in plan.rows] == [2, 3, 4, 5, 6, 7, 8]
    assert "Line 2" in plan.rows[5].errors[0][1]
    assert list(db.conn.iterdump()) == before


FULL = """\
external_id,kind,parent,season,episode,name,original_name,synopsis,year,rating,\
language,genres,tags,credits,library,protected,name[de],synopsis[pt-BR],custom:cost
e1,episode,s1,1,2,Second,,,,,,,,,,,,,
s1,series,,,,Harbour,Hafen,"Ships, and ""men"".
Two lines.",2020,12,en,Drama | Rock \\| Roll,summer | island,\
director: Ida Ray | actor: Tom Hall = The keeper,,no,Hafen,O porto,12.5
f1,film,,,,=HYPERLINK(1),,'+1,,,,,,,,yes,,,
x1,trailer,f1,,,Trailer,,,,,,,,,,,,,
"""


def test_imported_twice_changes_nothing_the_second_time(
    db: Database, settings: Settings
) -> None:
    custom_fields.define(db, SYSTEM, "Cost", "number")

    first = brought(db, settings, FULL)
    assert words(first) == ["create"] * 4, first
    before = _content(db)
    again = brought(db, settings, FULL)

    assert words(again) == ["same"] * 4
    assert _content(db) == before
    episode = titles.by_slug(db, SYSTEM, first[0].slug)
    assert episode.parent_id == titles.by_slug(db, SYSTEM, first[1].slug).id
    assert titles.by_slug(db, SYSTEM, first[1].slug).genres == ("Drama", "Rock | Roll")
    assert titles.by_slug(db, SYSTEM, first[2].slug).synopsis == "+1"


@pytest.mark.parametrize(("separator", "excel"), [(",", False), (";", True)])
def test_what_is_exported_comes_back_as_it_was(
    db: Database, settings: Settings, make: Builders, separator: str, excel: bool
) -> None:
    custom_fields.define(db, SYSTEM, "Cost", "number")
    brought(db, settings, FULL)
    make.title("Without a key", year=1999, synopsis="'=quoted\nlines")
    before = _content(db)

    exported = "".join(exporting.export(db, SYSTEM, separator=separator, excel=excel))
    again = brought(db, settings, exported)

    assert words(again) == ["same"] * 5, again
    assert _content(db) == before


def test_an_export_fills_an_empty_installation_alike(
    db: Database, settings: Settings, storage: Storage
) -> None:
    custom_fields.define(db, SYSTEM, "Cost", "number")
    brought(db, settings, FULL)
    exported = "".join(exporting.export(db, SYSTEM))
    for row in db.rows("select slug from titles where parent_id is null"):
        titles.remove(db, storage, SYSTEM, row["slug"])

    assert words(brought(db, settings, exported)) == ["create"] * 4
    assert "".join(exporting.export(db, SYSTEM)).splitlines()[1:] != []
    assert words(brought(db, settings, exported)) == ["same"] * 4


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "-", "=", "'"],
)
def test_no_cell_is_a_formula_and_each_comes_back(cell: str) -> None:
    written = sheets.defused(cell)

    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert sheets.undefused(written) == cell


@pytest.mark.parametrize("cell", ["plain", "a=b", "'quoted'", "Rock 'n' Roll", ""])
def test_other_cells_are_left_alone(cell: str) -> None:
    assert sheets.defused(cell) == sheets.undefused(cell) == cell


@pytest.mark.parametrize("names", [(), ("a",), ("a|b", "c\\d", "e\\|f"), ("a, b", "c")])
def test_lists_come_back_out_of_their_cell(names: tuple[str, ...]) -> None:
    assert columns.parted(columns.joined(names)) == names


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"kind": "opera"}, "kind"),
        ({"kind": "episode"}, "parent"),
        ({"parent": "nowhere", "kind": "episode"}, "parent"),
        ({"season": "one"}, "season"),
        ({"genres": "|".join(map(str, range(13)))}, "genres"),
        ({"credits": "Ida Ray"}, "credits"),
        ({"library": "nowhere"}, "library"),
        ({"protected": "perhaps"}, "protected"),
        ({"language": "<script>"}, "language"),
        ({"name[de]": "x" * 201}, "name[de]"),
        ({"custom:cost": "much"}, "custom:cost"),
        ({"name": "x" * 201}, "name"),
        ({"external_id": "x" * 101}, "external_id"),
    ],
)
def test_a_cell_that_cannot_be_is_told_at_its_place(
    db: Database, settings: Settings, cells: dict[str, str], column: str
) -> None:
    custom_fields.define(db, SYSTEM, "Cost", "number")
    row = {"external_id": "f1", "name": "Film", **cells}

    plan = looked(db, settings, ",".join(row) + "\n" + ",".join(row.values()))

    assert [name for name, _ in plan.rows[0].errors] == [column]


def test_an_empty_cell_empties_and_a_missing_column_leaves(
    db: Database, settings: Settings, make: Builders
) -> None:
    title = make.title("Orchard", external_id="f1", year=2019, synopsis="Trees.")
    titles.edit(
        *(db, SYSTEM, title.slug),
        translations={"de": {"name": "Obstgarten", "synopsis": "Bäume."}},
    )

    brought(db, settings, "external_id,name,year,name[de]\nf1,Orchard,,Garten\n")

    now: Any = titles.by_slug(db, SYSTEM, title.slug)
    assert (now.year, now.synopsis) == (None, "Trees.")
    exported = "".join(exporting.export(db, SYSTEM))
    assert "Garten,Bäume." in exported


def test_rows_that_fail_are_told_and_the_others_come_in(
    db: Database, settings: Settings
) -> None:
    head = "external_id,kind,parent,season,episode,name\n"
    results = brought(
        *(db, settings),
        f"{head}s1,series,,,,Harbour\ne1,episode,s1,1,1,One\ne2,episode,s1,1,1,Twin\n",
    )

    assert words(results) == ["create", "create", "refuse"]
    assert "choose another number" in results[2].problem
    table = imports.result_table(results)
    assert table.splitlines()[0] == "line,key,name,result,slug,problem"
    assert "refused" in table.splitlines()[3]


def test_what_is_in_the_trash_is_not_written_to(
    db: Database, settings: Settings, make: Builders
) -> None:
    title = make.title("Orchard", external_id="f1")
    trash.discard(db, SYSTEM, title.slug)

    (result,) = brought(db, settings, f"{HEAD}\nf1,Orchard,2020\n")

    assert "in the trash" in result.problem


def test_only_who_may_import_imports_and_exports(
    db: Database, settings: Settings, make: Builders
) -> None:
    ida = make.actor(Role.CONTRIBUTOR)

    with pytest.raises(Forbidden):
        imports.look(db, settings, ida, b"external_id,name\nf1,Film\n")
    with pytest.raises(Forbidden):
        exporting.export(db, ida)


def test_the_template_can_be_imported(db: Database, settings: Settings) -> None:
    (result,) = brought(db, settings, exporting.template(db, separator=";", excel=True))

    assert (result.does, result.problem) == (Does.CREATE, "")


def test_a_table_is_kept_carried_out_once_and_its_result_stays(
    db: Database, settings: Settings, storage: Storage, make: Builders
) -> None:
    eve, bob = make.actor(Role.PUBLISHER), make.actor(Role.PUBLISHER)
    data = f"{HEAD}\nf1,Film,2020\nf2,,\n".encode()
    kept = imports.keep(db, storage, eve, "films.csv", data)
    assert imports.kept_plan(db, storage, settings, eve, kept.public_id).rows

    for _ in range(2):
        done = imports.carry_out(db, storage, settings, eve, kept.public_id)

    assert done.summary == {"created": 1, "changed": 0, "same": 0, "refused": 1}
    assert "created" in imports.results(db, storage, eve, kept.public_id)
    assert len(db.rows("select id from titles")) == 1
    with pytest.raises(Exception, match="no longer here"):
        imports.by_id(db, bob, kept.public_id)


def _content(db: Database) -> list[Any]:
    return [
        db.rows(f"select * from {table} order by 1, 2")
        for table in (
            *("titles", "title_genres", "title_tags", "credits", "people"),
            "title_translations",
        )
    ]
