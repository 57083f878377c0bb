"""The words of the pages, in every language: gather them, and make them loadable.

``gather`` finds what templates, views and scripts say in English, and brings
``web/translations/<language>/LC_MESSAGES/messages.po`` up to date: translators fill
those files. ``compile`` writes beside them what the pages load; git ignores that.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "web"
CATALOGUES = PAGES / "translations"
SCRIPTS = PAGES / "static" / "words"
TRANSLATED = ("ar", "de", "es", "fr")

_SOURCES = [
    ("static/js/**.js", "javascript"),
    ("templates/**.html", "jinja2"),
    ("**.py", "python"),
]
_OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
_STUDIO = (
    *("templates/studio/", "studio/", "api/", "static/js/studio"),
    *("static/js/upload", "static/js/captions/", "static/js/job-progress"),
)
# What scripts call: t("Save"), and tn("{n} title", "{n} titles", n).
_CALLS: Mapping[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "t": None,
    "tn": (1, 2),
}


def main() -> None:
    what = sys.argv[1:] or ["compile"]
    {"gather": gather, "compile": make_loadable}[what[0]]()


def gather() -> None:
    """Add what is said anew to every catalogue, and drop what is not said any more."""
    said = gathered()
    for language in TRANSLATED:
        path = _path(language)
        catalogue = read(language)
        catalogue.update(said, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.fuzzy = False
        catalogue.header_comment = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = BytesIO()
        # Without dates and line numbers a change shows only the words that changed.
        write_po(
            text, catalogue, sort_output=True, include_lineno=False, omit_header=False
        )
        path.write_bytes(_undated(text.getvalue()))
        missing = sum(
            1
            for each in catalogue
            if each.id and for_viewers(each) and not translated(each)
        )
        print(f"{language}: {len(catalogue)} said, {missing} missing for viewers")


def gathered() -> Catalog:
    """Return everything that the pages say, in English."""
    said = Catalog(project="Matinee", charset="utf-8")
    found = extract_from_dir(
        str(PAGES),
        method_map=_SOURCES,
        options_map=_OPTIONS,
        keywords=_CALLS,
        comment_tags=("words:",),
        strip_comment_tags=True,
        directory_filter=lambda folder: not folder.endswith(("vendor", "words")),
    )
    for place, _line, words, comments, context in found:
        said.add(words, None, [(place, 0)], auto_comments=comments, context=context)
    return said


def for_viewers(message: Message) -> bool:
    """Say whether a viewer reads it, and not only who works in the Studio."""
    return any(not place.startswith(_STUDIO) for place, _ in message.locations)


def make_loadable() -> None:
    """Write the catalogues as pages and scripts load them."""
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    for language in TRANSLATED:
        catalogue = read(language)
        with _path(language).with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        script = SCRIPTS / f"{language}.js"
        script.write_text(_script(catalogue), encoding="utf-8")


def read(language: str) -> Catalog:
    """Return the catalogue of a language, empty as long as there is none."""
    path = _path(language)
    if not path.is_file():
        return Catalog(locale=language, project="Matinee", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def translated(message: Message) -> bool:
    """Say whether all forms of a message have words."""
    said = message.string
    return all(said) if isinstance(said, (tuple, list)) else bool(said)


def _path(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


def _undated(text: bytes) -> bytes:
    return re.sub(rb'"(POT-Creation|PO-Revision)-Date:[^"]*"\n', b"", text)


def _script(catalogue: Catalog) -> str:
    """Write the words of scripts as a module: a table, and which plural a number has.

    A plural expression of gettext is one of JavaScript too.
    """
    words = dict(_of_scripts(catalogue))
    table = json.dumps(words, ensure_ascii=False, sort_keys=True, indent=0)
    return (
        f"export const words = {table};\n"
        f"export const plural = (n) => Number({catalogue.plural_expr});\n"
    )


def _of_scripts(catalogue: Catalog) -> Iterator[tuple[str, str | list[str]]]:
    for message in catalogue:
        in_script = any(place.endswith(".js") for place, _ in message.locations)
        if not message.id or not in_script or not translated(message):
            continue
        if isinstance(message.id, (tuple, list)):
            yield message.id[0], list(message.string or ())
        else:
            yield message.id, str(message.string)


if __name__ == "__main__":
    main()
