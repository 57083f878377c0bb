"""Webhooks and e-mail: whom the installation tells, and how that went."""

from dataclasses import asdict
from typing import Any

from appliance.operations import deliveries, mail, webhooks
from appliance.permissions import Action
from web import context, guard
from web.api import telling_schemas
from web.api.endpoint import Endpoint


def list_webhooks() -> dict[str, Any]:
    """List every webhook."""
    found = webhooks.listing(context.db(), context.actor())
    return {"webhooks": [asdict(each) for each in found]}


def add_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Tell an address what happens; the secret is answered only now."""
    made, secret = webhooks.add(
        context.db(), context.settings(), context.actor(), **body
    )
    return asdict(made) | {"secret": secret}


def change_webhook(body: dict[str, Any], webhook: str) -> dict[str, Any]:
    """Change a webhook; what is not named stays."""
    return asdict(webhooks.change(context.db(), context.actor(), webhook, **body))


def remove_webhook(webhook: str) -> None:
    """Remove a webhook with what waits for it."""
    webhooks.remove(context.db(), context.actor(), webhook)


def list_deliveries(webhook: str) -> dict[str, Any]:
    """List the last deliveries of a webhook, and what was answered."""
    found = deliveries.listing(context.db(), context.actor(), webhook)
    return {"deliveries": [asdict(each) for each in found]}


def test_webhook(webhook: str) -> dict[str, Any]:
    """Send a delivery that says nothing happened."""
    return asdict(deliveries.test(context.db(), context.actor(), webhook))


def replay_delivery(webhook: str, delivery: str) -> dict[str, Any]:
    """Send a delivery again, with the id that it had."""
    return asdict(deliveries.replay(context.db(), context.actor(), webhook, delivery))


def show_mail_rules() -> dict[str, Any]:
    """Show who is written to about what."""
    return asdict(mail.rules(context.db(), context.actor()))


def set_mail_rule(body: dict[str, Any]) -> dict[str, Any]:
    """Write to addresses about events of a name; to none: no longer."""
    found = mail.set_rule(
        context.db(),
        context.actor(),
        body["event"],
        tuple(body["recipients"]),
        body.get("revision"),
    )
    return asdict(found)


def list_letters() -> dict[str, Any]:
    """List the last letters, and what went wrong with them."""
    found = mail.listing(context.db(), context.actor())
    return {"letters": [asdict(each) for each in found]}


def send_test_letter(body: dict[str, Any]) -> None:
    """Send a letter now, and answer what goes wrong."""
    mail.send_test(context.settings(), context.actor(), body["recipient"])


_TELL = guard.needs(Action.INTEGRATION_MANAGE)

ENDPOINTS = (
    Endpoint("GET", "/webhooks", list_webhooks, _TELL, gives=telling_schemas.Webhooks),
    Endpoint(
        "POST",
        "/webhooks",
        add_webhook,
        _TELL,
        takes=telling_schemas.WebhookRequest,
        gives=telling_schemas.WebhookMade,
        status=201,
    ),
    Endpoint(
        "PATCH",
        "/webhooks/<webhook>",
        change_webhook,
        _TELL,
        takes=telling_schemas.WebhookChange,
        gives=telling_schemas.Webhook,
    ),
    Endpoint("DELETE", "/webhooks/<webhook>", remove_webhook, _TELL, status=204),
    Endpoint(
        "GET",
        "/webhooks/<webhook>/deliveries",
        list_deliveries,
        _TELL,
        gives=telling_schemas.Deliveries,
    ),
    Endpoint(
        "POST",
        "/webhooks/<webhook>/test",
        test_webhook,
        _TELL,
        gives=telling_schemas.Delivery,
        status=202,
    ),
    Endpoint(
        "POST",
        "/webhooks/<webhook>/deliveries/<delivery>",
        replay_delivery,
        _TELL,
        gives=telling_schemas.Delivery,
        status=202,
    ),
    Endpoint("GET", "/mail", show_mail_rules, _TELL, gives=telling_schemas.MailRules),
    Endpoint(
        "PUT",
        "/mail",
        set_mail_rule,
        _TELL,
        takes=telling_schemas.MailRule,
        gives=telling_schemas.MailRules,
    ),
    Endpoint(
        "GET", "/mail/letters", list_letters, _TELL, gives=telling_schemas.Letters
    ),
    Endpoint(
        "POST",
        "/mail/test",
        send_test_letter,
        _TELL,
        takes=telling_schemas.TestLetter,
        status=204,
    ),
)
