"""The command line: an edge that reads options, asks the core and shows the answer."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from appliance import __version__
from appliance.cli import (
    access,
    audit,
    cdn,
    completion,
    config,
    database,
    demo,
    doctor,
    edge,
    init,
    job,
    key,
    nginx,
    output,
    playback,
    policy,
    serve,
    storage,
    title,
    user,
)
from appliance.cli.installation import Installation
from appliance.errors import MatineeError


class Frame(click.Group):
    """The root of all commands: maps errors to exit codes, adds ``--json`` to all."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        _add_output_options(cmd)
        super().add_command(cmd, name)

    def main(self, args: Any = None, *rest: Any, **extra: Any) -> NoReturn:
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        extra.setdefault("prog_name", "matinee")
        sys.exit(_run(partial(super().main, given, *rest, **extra), "--json" in given))


def _run(command: Callable[[], Any], json: bool) -> int:
    """Run the command and return its exit code."""
    try:
        code = command()
        return code if isinstance(code, int) else 0
    except MatineeError as error:
        output.failure(error, json)
        return error.exit_code
    except click.ClickException as error:
        if json:
            output.failure(_as_ours(error), json)
        else:
            error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return 130
    except BrokenPipeError:
        output.silence_stdout()
        return 1


def _as_ours(error: click.ClickException) -> MatineeError:
    return MatineeError("command.usage", error.format_message())


def _add_output_options(command: click.Command) -> None:
    """Give ``--json`` and ``--quiet`` to every command, however it was written."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _add_output_options(each)
        return
    command.params += [
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_json,
            help="Print one JSON document.",
        ),
        click.Option(
            ["--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_quiet,
            help="Print the result and errors only.",
        ),
    ]


def _json(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.ensure_object(Installation).out.json = True


def _quiet(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.ensure_object(Installation).out.quiet = True


@click.group(cls=Frame, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file; else $MATINEE_CONFIG, /etc/matinee/matinee.toml.",
)
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_json,
    help="Print one JSON document.",
)
@click.option(
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_quiet,
    help="Print the result and errors only.",
)
@click.version_option(__version__, prog_name="Matinee")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Run a video-on-demand service of your own.

    \b
    matinee init --admin ada
    matinee title add film.mp4 --title "The First Film" --publish --wait
    """
    context.ensure_object(Installation).config = config


for _command in (
    access.access,
    audit.audit,
    cdn.cdn,
    completion.completion,
    config.config,
    database.migrate,
    demo.demo,
    doctor.doctor,
    edge.edge,
    init.init,
    job.job,
    key.key,
    nginx.nginx,
    playback.playback,
    policy.policy,
    serve.serve,
    serve.web,
    serve.worker,
    storage.storage,
    title.title,
    user.user,
):
    main.add_command(_command)
