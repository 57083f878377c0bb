"""What exists is documented, and what is documented exists."""

import ast
import configparser
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from appliance import errors, events, permissions, settings
from appliance.cli import NOUNS, main
from appliance.errors import MatineeError

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md")
PACKAGES = ("appliance", "jobs", "nginx", "web", "workshop", "tests")


def is_sentence(text: str) -> bool:
    return len(text) > 10 and not text[0].islower() and text.rstrip().endswith(".")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in listed.stdout.splitlines()]


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            assert each is not None
            yield from commands(each, (*path, name))


ALL_COMMANDS = dict(commands())


def test_the_first_sentence_of_every_noun_is_its_own() -> None:
    assert {name: ALL_COMMANDS[name].get_short_help_str(200) for name in NOUNS} == NOUNS


@pytest.mark.parametrize("each", list(settings.documented()), ids=lambda each: each.key)
def test_every_setting_says_what_it_does(each: settings.Documented) -> None:
    assert is_sentence(each.doc)


def test_every_event_has_a_meaning() -> None:
    assert set(events.MEANINGS) == set(events.Event)
    assert all(map(is_sentence, events.MEANINGS.values()))


def test_every_permission_has_a_meaning() -> None:
    assert set(permissions.MEANINGS) == set(permissions.Action)
    assert all(map(is_sentence, permissions.MEANINGS.values()))


def test_every_kind_of_error_says_what_it_means() -> None:
    kinds = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, MatineeError)
    ]

    assert [kind.__name__ for kind in kinds if not kind.__doc__] == []


def test_every_migration_says_what_it_is_for() -> None:
    source = ast.parse((ROOT / "appliance" / "migrations.py").read_text())
    steps = [
        node
        for node in source.body
        if isinstance(node, ast.FunctionDef)
        and "migrations()" in map(ast.unparse, node.decorator_list)
    ]

    assert steps
    assert [node.name for node in steps if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = ALL_COMMANDS[name]

    assert command.help
    assert is_sentence(command.help.partition("\n\n")[0].replace("\n", " "))
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert is_sentence(parameter.help), parameter.help
        else:
            spoken = parameter.metavar or (parameter.name or "").upper()
            assert spoken in command.help, f"{spoken} stands nowhere in the help"


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]

    assert modules
    assert [
        str(path.relative_to(ROOT))
        for path in modules
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ] == []


def test_the_map_names_every_folder() -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}

    missing = [each for each in sorted(folders) if f"`{each}/`" not in page(PAGES[1])]

    assert missing == []


def test_the_map_names_every_part_of_the_core() -> None:
    parts = {
        path.parts[1]
        for path in tracked()
        if len(path.parts) > 2 and path.parts[0] == "appliance"
    }

    missing = [each for each in sorted(parts) if f"`{each}/`" not in page(PAGES[1])]

    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_a_page_names_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    text = page(name)

    for target in re.findall(r"`make ([a-z]+)", text):
        assert target in targets
    for command in re.findall(r"`matinee ([a-z][a-z -]*)", text):
        words = command.split(" -")[0].split()
        assert any(" ".join(words[:n]) in ALL_COMMANDS for n in (1, 2)), command


@pytest.mark.parametrize("name", PAGES)
def test_every_file_a_page_links_to_exists(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page(name)):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = (
        config["options"]["install_requires"] + config["options.extras_require"]["dev"]
    )
    names = [line.partition(" ")[0] for line in wanted.split("\n") if line]
    browser = json.loads(page("package.json"))
    names += [*browser["dependencies"], *browser["devDependencies"]]

    told = re.findall(r"\*\*(?:[\d-]+ · )?([^*]+)\*\*", page("DECISIONS.md"))
    assert [name for name in names if name not in told] == []


def test_every_dependency_is_pinned() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = config["options"]["install_requires"].split("\n")

    assert [line for line in wanted if line and " == " not in line] == []
