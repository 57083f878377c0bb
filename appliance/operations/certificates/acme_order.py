"""A certificate asked for from an ACME server (RFC 8555), proved by http-01.

The server asks for a file at http://NAME/.well-known/acme-challenge/, which nginx
answers out of a folder; that is all it takes from outside.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from acme import challenges, crypto_util, errors, messages
from acme.client import ClientV2
from josepy.errors import DeserializationError

from appliance.errors import (
    InvalidInput,
    MatineeError,
    PreconditionFailed,
    TooManyRequests,
    TryAgain,
)
from appliance.operations.certificates import acme_account, keys
from appliance.operations.certificates.accepting import Pair
from appliance.operations.certificates.acme_account import Server
from appliance.operations.certificates.acme_calls import Network
from appliance.operations.certificates.place import open_folder

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
_SAID = 300
_PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Folders:
    """``account`` keeps the account; nginx answers out of ``answers``."""

    account: Path
    answers: Path


def obtain(
    server: Server,
    folders: Folders,
    names: Sequence[str],
    *,
    agreed: bool = False,
    patience: timedelta = _PATIENCE,
) -> Pair:
    """Return a new certificate with its chain, and a new key.

    Errors: ``InvalidInput`` acme.names; ``PreconditionFailed`` acme.challenge with what
    the server saw, acme.refused, acme.terms, acme.binding; ``TooManyRequests``
    acme.rate-limit; ``TryAgain`` acme.order, acme.slow and those of our calls.
    """
    _require_names(names)
    network = acme_account.network(server, folders.account)
    with _explained(folders, network):
        client = acme_account.client(server, folders.account, network, agreed=agreed)
        key = keys.written(keys.make())
        order = client.new_order(crypto_util.make_csr(key, list(names)))
        with _answers(client, order, folders.answers):
            done = client.poll_and_finalize(order, _deadline(patience))
    return Pair(done.fullchain_pem.encode(), key)


def _deadline(patience: timedelta) -> datetime:
    # The library compares with the time of this machine, without a zone.
    return datetime.now() + patience


def _require_names(names: Sequence[str]) -> None:
    if not names:
        raise InvalidInput(
            "acme.names",
            "An ACME server gives certificates for names: set portal.public_url.",
        )
    for each in names:
        try:
            ip_address(each.strip("[]"))
        except ValueError:
            if "*" not in each and "." in each:
                continue
        raise InvalidInput(
            "acme.names",
            f"No ACME server proves {each} by a web page: give this machine a name in"
            " the DNS and set portal.public_url to it, or say matinee tls self-signed.",
        )


@contextmanager
def _answers(client: ClientV2, order: Any, folder: Path) -> Iterator[None]:
    """Lay out what the server asks for, and take it away at the end."""
    laid = list[Path]()
    place = folder / ".well-known" / "acme-challenge"
    try:
        for each in (folder, place.parent, place):
            open_folder(each)
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            challenge = _challenge(authorization.body)
            response, content = challenge.response_and_validation(client.net.key)
            path = place / _token(challenge)
            laid.append(path)
            path.write_text(content, "ascii")
            path.chmod(0o644)
            client.answer_challenge(challenge, response)
        yield
    finally:
        for path in laid:
            path.unlink(missing_ok=True)


def _challenge(body: Any) -> Any:
    for each in body.challenges:
        if isinstance(each.chall, challenges.HTTP01):
            return each
    raise PreconditionFailed(
        "acme.no-http",
        f"The ACME server offers no proof by a web page for {body.identifier.value}.",
    )


def _token(challenge: Any) -> str:
    name = str(challenge.chall.encode("token"))
    if not _TOKEN.fullmatch(name):
        raise TryAgain(
            "acme.server-garbled", "The ACME server gave a token that is none."
        )
    return name


@contextmanager
def _explained(folders: Folders, network: Network) -> Iterator[None]:
    """Say in our words what the server or the library says."""
    trouble: MatineeError
    try:
        yield
        return
    except errors.ValidationError as error:
        trouble = _unproved(error)
    except errors.IssuanceError as error:
        trouble = _refused(error.error, network)
    except messages.Error as error:
        if error.code == "accountDoesNotExist":
            acme_account.forget(folders.account)
        trouble = _refused(error, network)
    except errors.TimeoutError:
        trouble = TryAgain(
            "acme.slow",
            "The ACME server did not decide in time; what is in use stays. Try again"
            " later.",
        )
    except (errors.Error, DeserializationError, ValueError) as error:
        said = " ".join(str(error).split())[:_SAID]
        trouble = TryAgain(
            "acme.order",
            f"The order came to nothing ({said or type(error).__name__}); what is in"
            " use stays. Try again later.",
        )
    except PermissionError as error:
        trouble = PreconditionFailed(
            "tls.permission", f"{error.filename} can’t be written: run it as root."
        )
    raise trouble


def _unproved(error: errors.ValidationError) -> MatineeError:
    said = list[str]()
    names = list[str]()
    for each in error.failed_authzrs:
        names.append(str(each.body.identifier.value))
        for challenge in each.body.challenges:
            if challenge.error is not None:
                said.append(_line(challenge.error.detail))
    named = ", ".join(dict.fromkeys(names))
    return PreconditionFailed(
        "acme.challenge",
        f"The ACME server could not see that {named} is this machine:"
        f" “{' '.join(dict.fromkeys(said))}”. Port 80 must reach this nginx under that"
        " name from where the server is: look at the DNS and the firewall, then try"
        " again.",
        {"names": names},
    )


def _refused(error: messages.Error, network: Network) -> MatineeError:
    said = _line(error.detail or error.description or error.typ)
    if error.code == "rateLimited":
        wait = network.retry_after
        when = f" It asks us to wait {wait} seconds." if wait.isdigit() else ""
        details = {"retry_after": int(wait)} if wait.isdigit() else {}
        return TooManyRequests(
            "acme.rate-limit",
            f"The ACME server gives no more for now: “{said}”.{when} What is in use"
            " stays; the timer tries again later.",
            details,
        )
    if error.code in ("serverInternal", "badNonce", "orderNotReady"):
        return TryAgain(
            "acme.order", f"The ACME server failed: “{said}”. Try again later."
        )
    return PreconditionFailed(
        "acme.refused",
        f"The ACME server refused with {error.code or 'an error'}: “{said}”. Look at"
        " tls.acme_directory, tls.acme_email, acme.toml and the name.",
    )


def _line(text: str | None) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())[
        :_SAID
    ]
