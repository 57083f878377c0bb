"""``matinee playback``: what is watched now, stopping it, and who watched what."""

import dataclasses
import sys
from typing import Any

import click

from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import NotFound
from appliance.playback import sessions, streams, tracing
from appliance.playback.streams import Stream
from appliance.playback.tracing import Trace


@click.group()
def playback() -> None:
    """See what is watched now, stop it, and trace who watched."""


@playback.command("list")
@click.option("--user", default="", metavar="NAME", help="Only what NAME watches.")
@pass_installation
def list_playing(installation: Installation, user: str) -> None:
    """List what plays now, the longest first."""
    with installation.db() as db:
        playing = streams.everybodys(db, installation.actor, user)
    installation.out.table(
        (
            *("SESSION", "ACCOUNT", "PROFILE", "TITLE"),
            *("DEVICE", "ADDRESS", "SINCE", "QUALITY"),
        ),
        [
            (
                each.session,
                each.account,
                each.profile,
                each.title,
                each.device,
                each.address,
                each.started_at,
                "preview" if each.preview else each.quality or "–",
            )
            for each in playing
        ],
        [_document(each) for each in playing],
        empty="Nobody watches anything at the moment.",
    )


@playback.command()
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def terminate(installation: Installation, session: str, yes: bool) -> None:
    """Stop the playback SESSION: keys end at once, the picture within minutes."""
    with installation.db() as db:
        found = streams.by_session(db, installation.actor, session)
        installation.out.confirm(
            f"Stop “{found.name}”, which {found.account} watches?", yes
        )
        sessions.terminate(db, installation.actor, session)
    installation.out.result(
        {"session": session, "account": found.account, "title": found.title},
        f"Stopped “{found.name}” of {found.account}.",
    )


@playback.command()
@click.argument("text")
@pass_installation
def trace(installation: Installation, text: str) -> None:
    """Say who watched, from a TEXT that names a playback session.

    TEXT is a session's id or its first eight characters, as a watermark shows them, a
    media address, a token, or a whole line of an access log; - reads one from
    standard input.

    \b
    matinee playback trace 3f9c2a71
    grep 00042.m4s /var/log/nginx/access.log | tail -1 | matinee playback trace -
    """
    if text == "-":
        text = sys.stdin.readline()
    with installation.db() as db:
        found = tracing.trace(db, installation.actor, text)
    if not found:
        raise NotFound(
            "trace.missing",
            "It names a playback session that this installation does not know.",
        )
    installation.out.result(
        [dataclasses.asdict(each) for each in found], "\n\n".join(map(_text, found))
    )


def _document(stream: Stream) -> dict[str, Any]:
    return dataclasses.asdict(stream) | {"quality": stream.quality}


def _text(found: Trace) -> str:
    return output.pairs(
        {
            "Session": found.session,
            "Seen as": "a preview in the Studio" if found.preview else "a viewer",
            "Account": f"{found.account} ({found.viewer})",
            "E-mail": found.email or "–",
            "Profile": found.profile,
            "Title": f"{found.name} ({found.title})",
            "Device": found.device or "–",
            "Address": found.address or "–",
            "Program": found.user_agent or "–",
            "Began": found.started_at,
            "Last heard": found.heartbeat_at,
            "Ended": f"{found.ended_at} ({found.end_reason})"
            if found.ended_at
            else "not yet",
        }
    )
