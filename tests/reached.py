"""What of our source a function reaches, read from the source itself.

A function reaches whatever it names: functions and constants of modules it imports,
and classes with all of their methods, for instances are not followed. So it reaches
rather too much than too little.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
Place = tuple[str, str]
"""A module and a name at its top."""


@dataclass(frozen=True, slots=True)
class _Module:
    """``imported`` is what names stand for: ("web.guard", "") is a module itself."""

    made: dict[str, tuple[ast.stmt, ...]]
    imported: dict[str, Place]


def reached(roots: Iterable[Place]) -> Iterator[tuple[str, ast.stmt]]:
    """Return each statement at the top of a module that a root leads to."""
    seen: set[Place] = set()
    ahead = list(roots)
    while ahead:
        place = _origin(ahead.pop())
        if place is None or place in seen:
            continue
        seen.add(place)
        name, wanted = place
        for statement in _ours(name).made[wanted]:
            yield name, statement
            ahead += _named(name, statement)


def names_of(folder: str) -> Iterator[Place]:
    """Return all that the modules below a folder (``web/portal``) make."""
    for path in sorted((_ROOT / folder).rglob("*.py")):
        parts = path.relative_to(_ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield from ((name, each) for each in _ours(name).made)


def _ours(name: str) -> _Module:
    module = _module(name)
    assert module is not None, name
    return module


def _named(name: str, statement: ast.stmt) -> Iterator[Place]:
    module = _ours(name)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield module.imported.get(node.id, (name, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place = module.imported.get(node.value.id)
            if place is not None:
                yield _inside(place, node.attr)


def _inside(place: Place, attribute: str) -> Place:
    name, wanted = place
    return (f"{name}.{wanted}" if wanted else name), attribute


def _origin(place: Place) -> Place | None:
    """Follow a name to the module that makes it; None: it is none of ours."""
    module = _module(place[0])
    if module is None:
        return None
    if place[1] in module.made:
        return place
    further = module.imported.get(place[1])
    return _origin(further) if further and further != place else None


@cache
def _module(name: str) -> _Module | None:
    path = _ROOT.joinpath(*name.split("."))
    found = [
        each
        for each in (path.with_suffix(".py"), path / "__init__.py")
        if each.is_file()
    ]
    if name.split(".")[0] not in ("appliance", "web", "jobs") or not found:
        return None
    tree = ast.parse(found[0].read_text(encoding="utf-8"))
    made: dict[str, tuple[ast.stmt, ...]] = {}
    for statement in tree.body:
        for each in _makes(statement):
            made[each] = (*made.get(each, ()), statement)
    return _Module(made, dict(_imports(tree)))


def _makes(statement: ast.stmt) -> Sequence[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return (statement.name,)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return [
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return ()


def _imports(tree: ast.Module) -> Iterator[tuple[str, Place]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.asname or each.name, (each.name, "")
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                place = (node.module, each.name)
                whole = f"{node.module}.{each.name}"
                yield (
                    each.asname or each.name,
                    (whole, "") if _is_module(whole) else place,
                )


def _is_module(name: str) -> bool:
    path = _ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
