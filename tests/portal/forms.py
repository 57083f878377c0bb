"""The forms that somebody meets who follows every link, with what they ask for."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from flask.testing import FlaskClient
from lxml import html

_BEGIN = ("/", "/studio/", "/account", "/profiles", "/preferences", "/history")
# Addresses that end what is being looked at, or lead to something else than a page.
_PASSED = ("/logout", "/media/", "/static/", "/art/", "/api/")
_MOST_PAGES = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One that somebody fills in; ``kind`` is its type, or the name of its element."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form that is posted; ``hidden`` is what it sends without asking."""

    page: str
    action: str
    fields: tuple[Field, ...]
    hidden: tuple[tuple[str, str], ...]


def all_forms(client: FlaskClient) -> list[Form]:
    """Follow every link of our own from the first pages on.

    Return each form once: the first for each view with the same fields.
    """
    views = client.application.url_map.bind("localhost")
    found: dict[tuple[str, ...], Form] = {}
    waiting, seen = deque(_BEGIN), set(_BEGIN)
    while waiting and len(seen) < _MOST_PAGES:
        page = waiting.popleft()
        answer = client.get(page)
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        document = html.document_fromstring(answer.get_data())
        for form in _forms(page, document):
            view, _ = views.match(urlsplit(form.action).path, method="POST")
            found.setdefault((view, *(each.name for each in form.fields)), form)
        for link in document.xpath("//a/@href"):
            address = urljoin(page, link)
            # With another filter or order a page has the same forms.
            path = urlsplit(address).path
            if _ours(address) and path not in seen:
                seen.add(path)
                waiting.append(address)
    return list(found.values())


def _ours(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.netloc and not parts.path.startswith(_PASSED)


def _forms(page: str, document: html.HtmlElement) -> Iterator[Form]:
    for button in document.xpath("//button[@formaction]"):
        yield Form(page, urljoin(page, button.get("formaction")), (), ())
    for form in document.xpath("//form[@method = 'post' and @action]"):
        fields, hidden = [], []
        for each in form.xpath(".//input | .//textarea | .//select"):
            name, kind = each.get("name"), each.get("type", each.tag)
            if not name or name == "csrf_token":
                continue
            if kind in ("hidden", "submit"):
                hidden.append((name, each.get("value") or ""))
            else:
                fields.append(Field(name, kind, str(each.value or "")))
        action = urljoin(page, form.get("action"))
        yield Form(page, action, tuple(fields), tuple(hidden))
