"""Tables of titles in the Studio: a template, a look at the effect, the import."""

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.catalog import imports
from appliance.catalog.imports import Import
from appliance.catalog.tables import columns, exporting
from appliance.catalog.tables.planning import Does, Plan, Row
from appliance.errors import InvalidInput, TooLarge
from appliance.permissions import Action
from web import context, guard
from web.studio import title_list

Answer = str | Response | tuple[str, int]
_SHOWN = 100
_MULTIPART_ROOM = 1_000_000


def allow_tables(endpoint: str | None, _values: object) -> None:
    """Let a request be as large as a table, before the guard looks at its body."""
    if endpoint == "studio.bring_table":
        most = context.settings().studio.import_megabytes * 1_000_000
        request.max_content_length = most + _MULTIPART_ROOM


@guard.needs(Action.TITLE_IMPORT)
def page() -> str:
    return _page()


@guard.needs(Action.TITLE_IMPORT)
def bring() -> Answer:
    """Take a table in and show what it would do; nothing is imported yet."""
    db, storage, actor = context.db(), context.storage(), context.actor()
    file = request.files.get("table")
    try:
        if file is None or not file.filename:
            raise InvalidInput(
                "table.none", _("Choose a table first."), {"field": "table"}
            )
        data = file.read()
        imports.look(db, context.settings(), actor, data)
    except (InvalidInput, TooLarge) as error:
        return _page(error), error.status
    kept = imports.keep(db, storage, actor, file.filename, data)
    return redirect(url_for("studio.import_table", table=kept.public_id))


@guard.needs(Action.TITLE_IMPORT)
def show(table: str) -> Answer:
    found = imports.by_id(context.db(), context.actor(), table)
    if found.done:
        return render_template("studio/imported.html", found=found)
    return _planned(found)


@guard.needs(Action.TITLE_IMPORT)
def carry_out(table: str) -> Response:
    """Import it; sent twice it is imported once."""
    done = imports.carry_out(
        *(context.db(), context.storage(), context.settings()),
        *(context.actor(), table),
    )
    said = done.summary
    if said:
        flash(
            _(
                "%(created)s titles are new, %(changed)s are changed.",
                created=said["created"],
                changed=said["changed"],
            ),
            "ok",
        )
    return redirect(url_for("studio.import_table", table=table))


@guard.needs(Action.TITLE_IMPORT)
def result(table: str) -> FlaskResponse:
    text = imports.results(context.db(), context.storage(), context.actor(), table)
    return _download(text, f"import-{table}.csv")


@guard.needs(Action.TITLE_IMPORT)
def template() -> FlaskResponse:
    separator, excel = _form()
    text = exporting.template(context.db(), separator=separator, excel=excel)
    return _download(text, "titles-template.csv")


@guard.needs(Action.TITLE_IMPORT)
def export() -> FlaskResponse:
    """Give the titles of the list as a table that can be imported again."""
    separator, excel = _form()
    by = title_list.sifted(request.args)
    lines = exporting.export(
        *(context.db(), context.actor(), by), separator=separator, excel=excel
    )
    return _download("".join(lines), "titles.csv")


def _form() -> tuple[str, bool]:
    """Return the separator, and whether a spreadsheet is to guess the encoding."""
    plain = request.args.get("form") == "plain"
    return (",", False) if plain else (";", True)


def _page(error: InvalidInput | TooLarge | None = None) -> str:
    return render_template(
        "studio/imports.html",
        error=error,
        columns=columns.PLAIN,
        earlier=imports.listing(context.db(), context.actor()),
        studio=context.settings().studio,
    )


def _planned(found: Import) -> str:
    plan = imports.kept_plan(
        *(context.db(), context.storage(), context.settings()),
        *(context.actor(), found.public_id),
    )
    return render_template(
        "studio/import.html",
        found=found,
        plan=plan,
        counts={does.value: plan.count(does) for does in Does},
        refused=_first(plan, Does.REFUSE),
        changed=_first(plan, Does.CHANGE),
        created=_first(plan, Does.CREATE),
    )


def _first(plan: Plan, does: Does) -> list[Row]:
    return [row for row in plan.rows if row.does is does][:_SHOWN]


def _download(text: str, name: str) -> FlaskResponse:
    response = FlaskResponse(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
