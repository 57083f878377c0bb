"""The documentation of a release: what lies at the root, and the help of commands.

Run as a program it prints that help, of the tree that it is run in.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click


def write(tree: Path, target: Path) -> None:
    """Write the documents of a tree, and the help of its commands."""
    target.mkdir(parents=True)
    for path in sorted(tree.glob("*.md")):
        shutil.copy(path, target / path.name)
    told = subprocess.run(
        [sys.executable, "-m", "workshop.release.documents"],
        cwd=tree,
        stdout=subprocess.PIPE,
        check=True,
    )
    (target / "COMMANDS.md").write_bytes(told.stdout)


def help_of_all(main: click.Group) -> Iterator[str]:
    """Yield the help of every command, as one document."""
    yield "# Commands\n"
    yield "What `matinee … --help` says of each.\n"
    with click.Context(main, info_name="matinee", max_content_width=88) as root:
        yield from _help(main, root)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```\n{command.get_help(context)}\n```\n"
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        with click.Context(
            found, info_name=name, parent=context, max_content_width=88
        ) as inner:
            yield from _help(found, inner)


if __name__ == "__main__":
    from appliance.cli import main

    print("\n".join(help_of_all(main)))
