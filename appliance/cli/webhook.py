"""``matinee webhook``: whom this installation tells what happens in it."""

from dataclasses import asdict

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import deliveries, webhooks
from appliance.operations.webhooks import Webhook

_events = click.option(
    "--event",
    "events",
    multiple=True,
    help="Only events of that name, as title:state or job:*; may be given again.",
)


@click.group()
def webhook() -> None:
    """Tell other systems what happens here, signed and again until they take it.

    \b
    matinee webhook add https://intranet.example/films --event 'title:*'
    matinee webhook log ID
    """


@webhook.command()
@click.argument("url")
@_events
@pass_installation
def add(installation: Installation, url: str, events: tuple[str, ...]) -> None:
    """Tell URL; prints the secret of its signatures, which is shown only now."""
    with installation.db() as db:
        made, secret = webhooks.add(
            db, installation.settings, installation.actor, url, events
        )
    installation.out.result(
        asdict(made) | {"secret": secret}, f"{made.id}\nsecret: {secret}"
    )


@webhook.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every webhook, and what waits for it."""
    with installation.db() as db:
        found = webhooks.listing(db, installation.actor)
    installation.out.table(
        ("id", "url", "events", "on", "waiting", "failed"),
        [_row(each) for each in found],
        [asdict(each) for each in found],
        empty="There is no webhook.",
    )


@webhook.command("set")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--url", help="Where it is told.")
@_events
@click.option("--on/--off", default=None, help="Whether it is told at all.")
@pass_installation
def put(
    installation: Installation,
    webhook_id: str,
    url: str | None,
    events: tuple[str, ...],
    on: bool | None,
) -> None:
    """Change WEBHOOK; what is not named stays."""
    with installation.db() as db:
        changed = webhooks.change(
            db,
            installation.actor,
            webhook_id,
            url=url,
            events=events or None,
            enabled=on,
        )
    installation.out.result(asdict(changed), f"Changed: {changed.url}")


@webhook.command("remove")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, webhook_id: str, yes: bool) -> None:
    """Remove WEBHOOK with what waits for it."""
    with installation.db() as db:
        found = webhooks.by_id(db, installation.actor, webhook_id)
        question = f"Remove the webhook {found.url}, for which {found.waiting} wait?"
        installation.out.confirm(question, yes)
        gone = webhooks.remove(db, installation.actor, webhook_id)
    installation.out.result({"removed": gone.id}, f"Removed: {gone.url}")


@webhook.command("log")
@click.argument("webhook_id", metavar="WEBHOOK")
@pass_installation
def log(installation: Installation, webhook_id: str) -> None:
    """List the last deliveries of WEBHOOK, and what was answered."""
    with installation.db() as db:
        found = deliveries.listing(db, installation.actor, webhook_id)
    installation.out.table(
        ("id", "event", "state", "tries", "answer", "at"),
        [
            (
                each.id,
                each.event,
                each.state.value,
                str(each.attempts),
                f"{each.status or ''} {each.answer[:60]}".strip(),
                each.created_at,
            )
            for each in found
        ],
        [asdict(each) for each in found],
        empty="Nothing was delivered yet.",
    )


@webhook.command("replay")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.argument("delivery")
@pass_installation
def replay(installation: Installation, webhook_id: str, delivery: str) -> None:
    """Send DELIVERY of WEBHOOK again."""
    with installation.db() as db:
        again = deliveries.replay(db, installation.actor, webhook_id, delivery)
    installation.out.result(asdict(again), f"It is sent again: {again.event}")


@webhook.command("test")
@click.argument("webhook_id", metavar="WEBHOOK")
@pass_installation
def test(installation: Installation, webhook_id: str) -> None:
    """Send WEBHOOK a delivery that says nothing happened; see `webhook log`."""
    with installation.db() as db:
        sent = deliveries.test(db, installation.actor, webhook_id)
    installation.out.result(asdict(sent), f"It is being sent: {sent.id}")


def _row(each: Webhook) -> tuple[str, ...]:
    return (
        each.id,
        each.url,
        ", ".join(each.events) or "all",
        "yes" if each.enabled else "no",
        str(each.waiting),
        str(each.failed),
    )
