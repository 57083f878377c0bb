"""Who we are at an ACME server: a key, and the customer that it was bound to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acme import errors, messages
from acme.client import ClientV2
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.errors import DeserializationError
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from josepy.util import ComparableECKey

from appliance.errors import ConfigError, InvalidInput, PreconditionFailed
from appliance.operations.certificates import keys
from appliance.operations.certificates.acme_calls import Network
from appliance.outbound import Ways
from appliance.secret_file import SecretFile
from appliance.settings import Settings

_KEY, _ACCOUNT = "account.pem", "account.json"
_CREDENTIALS = "acme.toml"


@dataclass(frozen=True, slots=True)
class Server:
    """An ACME server, as the settings describe it.

    ``binding`` are the key id and the key (base64url) of an external account, where
    the server asks for one.
    """

    directory: str
    email: str
    ways: Ways
    binding: tuple[str, str] | None = field(default=None, repr=False)


def server(settings: Settings, ways: Ways) -> Server:
    """Return the server of the settings, with what acme.toml says in ``[acme]``.

    Errors: ``ConfigError`` acme.unset, those of :meth:`SecretFile.section`.
    """
    tls = settings.tls
    if not tls.acme_directory:
        raise ConfigError(
            "acme.unset",
            "No ACME server is set up here: set tls.acme_directory to its address, as"
            " https://acme-v02.api.letsencrypt.org/directory.",
        )
    binding = None
    if (settings.keys / _CREDENTIALS).is_file():
        kept = SecretFile(
            _CREDENTIALS, settings.keys, "", "acme.credentials", "the ACME server"
        ).section("acme")
        binding = (kept["eab_kid"], kept["eab_hmac_key"])
    return Server(tls.acme_directory, tls.acme_email, ways, binding)


def network(server: Server, folder: Path) -> Network:
    """Return what signs and sends with the key of the account, which ``folder`` keeps.

    Errors: ``PreconditionFailed`` where it can't be written, ``InvalidInput``.
    """
    try:
        key = _key(folder)
    except PermissionError as error:
        raise PreconditionFailed(
            "tls.permission", f"{error.filename} can’t be used: run it as root."
        ) from error
    return Network(JWKEC(key=ComparableECKey(key)), ES256, server.ways)


def client(server: Server, folder: Path, network: Network, *, agreed: bool) -> ClientV2:
    """Return a client that is known to the server; it is made known at first.

    ``folder`` keeps where the server knows us. ``agreed`` says that the terms of
    service were agreed to. Errors: ``PreconditionFailed`` acme.terms with their
    address, acme.binding; those of :mod:`appliance.calls` and of the library.
    """
    directory = ClientV2.get_directory(server.directory, network)
    found = ClientV2(directory, network)
    known = _known(folder, server.directory)
    if known:
        network.account = messages.RegistrationResource(
            uri=known, body=messages.Registration()
        )
        return found
    _require_terms(directory, agreed)
    wanted = messages.NewRegistration.from_data(
        email=server.email or None,
        terms_of_service_agreed=True,
        external_account_binding=_bound(server, directory, network),
    )
    try:
        uri = found.new_account(wanted).uri
    except errors.ConflictError as known_there:
        # The key is known there, and where we wrote it down was lost.
        uri = known_there.location
        network.account = messages.RegistrationResource(
            uri=uri, body=messages.Registration()
        )
    _remember(folder, {"directory": server.directory, "account": uri})
    return found


def forget(folder: Path) -> None:
    """Forget where a server knows us; the key stays, and it can be asked again."""
    (folder / _ACCOUNT).unlink(missing_ok=True)


def _bound(server: Server, directory: messages.Directory, network: Network) -> Any:
    if server.binding is None:
        meta = getattr(directory, "meta", None)
        if meta is not None and meta.external_account_required:
            raise PreconditionFailed(
                "acme.binding",
                "This ACME server serves its customers only: write eab_kid and"
                " eab_hmac_key, which it gave you, into a section [acme] of acme.toml"
                " in the folder of keys, and chmod it to 0600.",
            )
        return None
    kid, secret = server.binding
    assert network.key is not None
    try:
        return messages.ExternalAccountBinding.from_data(
            account_public_key=network.key.public_key(),
            kid=kid,
            hmac_key=secret,
            directory=directory,
        )
    except (ValueError, DeserializationError):
        pass
    raise InvalidInput(
        "acme.binding-key", "eab_hmac_key in acme.toml must be in base64url."
    )


def _require_terms(directory: messages.Directory, agreed: bool) -> None:
    meta = getattr(directory, "meta", None)
    terms = str(getattr(meta, "terms_of_service", "") or "") if meta else ""
    if terms and not agreed:
        raise PreconditionFailed(
            "acme.terms",
            f"Its terms of service stand at {terms}: read them, then agree with"
            " --agree.",
        )


def _key(folder: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key of the account, made when there is none."""
    path = folder / _KEY
    if path.is_file():
        found = keys.read(path.read_bytes(), str(path))
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
        raise InvalidInput(
            "acme.key", f"{path} is no key of ours: move it away, and ask again."
        )
    made = keys.make()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(keys.written(made))
    return made


def _known(folder: Path, directory: str) -> str:
    try:
        kept = json.loads((folder / _ACCOUNT).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    return str(kept["account"]) if kept.get("directory") == directory else ""


def _remember(folder: Path, document: Mapping[str, str]) -> None:
    aside = folder / f".{_ACCOUNT}"
    aside.write_text(json.dumps(document), "utf-8")
    aside.replace(folder / _ACCOUNT)
