"""The command line: an edge that reads options, asks the core and shows the answer."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import click
from click.exceptions import NoSuchCommand

from appliance import __version__
from appliance.cli import output
from appliance.cli.installation import Installation
from appliance.errors import MatineeError

NOUNS = {
    "access": "Grant rights to watch, open windows, and explain what follows"
    " from them.",
    "alert": "See what is wrong here, and since when.",
    "announce": "Tell everybody something at the head of every page.",
    "audit": "Read the audit log.",
    "backup": "Back up database, keys, pictures and films, verify that, and restore"
    " it.",
    "brand": "Set name, logo and colour of the portal, imprint, privacy and welcome.",
    "bulk": "Change many titles at once, after seeing the effect, and undo that.",
    "captions": "Add, check, shift, export and review captions, or let a machine write"
    " them.",
    "cdn": "Set up a CDN in front of this installation, prove it, fill it"
    " and purge it.",
    "collection": "Put titles together, in an order, under a name.",
    "completion": "Print the completion script of SHELL.",
    "config": "Read and check the configuration.",
    "demo": "Load a film to try the installation with, and remove it again.",
    "doctor": "Check this installation; nothing is changed.",
    "edge": "Look after the caching servers of branch offices and clusters"
    " (edge.sites).",
    "encoder": "See what encodes on this machine, test it, and measure it.",
    "group": "Manage groups: departments, customers, whoever has the same rights.",
    "fetch": "Let films be fetched from web addresses (uploads.from_urls).",
    "field": "Define fields of this installation's own, and fill them in.",
    "init": "Set up an installation with its administrator.",
    "job": "Watch, pause, retry and cancel the work on films.",
    "key": "List, rotate, export, import and replace the keys of films.",
    "library": "Let titles be encoded alike, and say what becomes of their sources.",
    "licences": "List what of others is in this installation, and under which licence.",
    "log-level": "Let all processes of this machine write from LEVEL on, without a"
    " restart.",
    "logs": "Show what was said by PART: web, control, media, nginx or all of them.",
    "mail": "Write e-mail about what happens: to whom, about what, and how it went.",
    "maintenance": "Close the portal for a while; what plays goes on, and so does the"
    " Studio.",
    "marker": "Set what players can skip, and the chapters of a film.",
    "migrate": "Apply the database migrations that are pending.",
    "nginx": "Render, check and install the configuration of nginx.",
    "node": "See the machines of a cluster, let more join, and say what they may do.",
    "person": "Look after the people of cast and crew: names, biographies, portraits.",
    "playback": "See what is watched now, stop it, and trace who watched.",
    "policy": "Set what licences demand of a device, and how long they hold.",
    "preflight": "Look whether this machine can become a Matinee; nothing is changed.",
    "profile": "Manage profiles: who watches with an account, and up to which age.",
    "quality": "See the quality reports of films, check them again, and let them pass"
    " or not.",
    "release": "See the releases on this machine, and check bundles before they are"
    " used.",
    "rollback": "Put the release of before into use again; what was written since"
    " stays.",
    "row": "Arrange the rows of the home page: what is in them, for whom, and when.",
    "search": "Search as a viewer does, and build the index anew.",
    "season": "Name the seasons of a series, and put its episodes in order.",
    "serve": "Run everything on this machine: portal, control worker and media worker.",
    "storage": "Show what films take up, check it, and move it to object storage"
    " and back.",
    "support-bundle": "Write down what somebody needs who helps with this"
    " installation.",
    "review": "Ask for reviews of titles, approve them, or send them back.",
    "tls": "Make, install, renew and show the certificate of the portal.",
    "sweep": "Put the house in order: what was left behind, what has run out, the"
    " database.",
    "title": "Put films in, look at them, show and hide them.",
    "token": "Give programs tokens that may do some things for a while.",
    "trash": "See what is in the trash, take it back, or remove it for good.",
    "trust": "Believe the company's own authorities in what this installation calls.",
    "upgrade": "Put the release of BUNDLE, a signed file, into use.",
    "user": "Manage accounts: who may sign in, and as what.",
    "web": "Run the web server alone, as under systemd.",
    "webhook": "Tell other systems what happens here, signed and again until they take"
    " it.",
    "worker": "Run workers: one that decides, one that encodes, or both.",
}
"""What there is, with what it is for: each is imported when somebody asks for it.

Together they need clients of object stores, queues and name servers, and half a second
to import them. A noun lies in the module of its name, but for these:
"""
_ELSEWHERE = {
    "maintenance": "announce",
    "migrate": "database",
    "log-level": "log_level",
    "support-bundle": "support_bundle",
    "web": "serve",
    "worker": "serve",
}


class Frame(click.Group):
    """The root of all commands: maps errors to exit codes, adds ``--json`` to all.

    Of ``nouns`` it knows the names and the first sentences; the rest is imported when
    it is asked for.
    """

    def __init__(
        self, name: str, nouns: Mapping[str, str] = MappingProxyType({}), **extra: Any
    ) -> None:
        super().__init__(name, **extra)
        self._nouns = nouns

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self._nouns})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self._nouns and name not in self.commands:
            module = import_module(f"{__name__}.{_ELSEWHERE.get(name, name)}")
            self.add_command(getattr(module, name.replace("-", "_")))
        return super().get_command(context, name)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, args)
        except NoSuchCommand as unknown:
            # Click proposes the nearest of those that are imported already.
            known = self.list_commands(context)
            raise NoSuchCommand(unknown.command_name, None, known, context) from None

    def format_commands(
        self, context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        names = self.list_commands(context)
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._nouns.get(name, "")) for name in names])

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


@click.group(
    cls=Frame, nouns=NOUNS, context_settings={"help_option_names": ["-h", "--help"]}
)
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
