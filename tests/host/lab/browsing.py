"""Chromium on the lab's bridge, which takes some certificates as known."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser

from tests.host.lab.network import Network

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@contextmanager
def browser_in(
    net: Network,
    chromium: Browser,
    hosts: Mapping[str, str],
    certificates: Sequence[str],
) -> Iterator[Browser]:
    """Start a browser beside ``chromium`` that finds hosts by name in the lab.

    The certificates, as PEM, are those that it takes as somebody does who has compared
    their fingerprints; each other must be of an authority that it knows.
    """
    keys = [_key_hash(each) for each in certificates]
    rules = ", ".join(f"MAP {name} {address}" for name, address in hosts.items())
    browser = chromium.browser_type.launch(
        executable_path=_program(net),
        args=[
            *_FLAGS,
            f"--host-resolver-rules={rules}",
            f"--ignore-certificate-errors-spki-list={','.join(keys)}",
        ],
    )
    yield browser
    browser.close()


def _program(net: Network) -> str:
    """Write a program that is Chromium in the lab's network."""
    program = net.place / "chromium"
    entered = " ".join(net.inside("/usr/bin/chromium"))
    program.write_text(f'#!/bin/sh\nexec {entered} "$@"\n')
    program.chmod(0o755)
    return str(program)


def _key_hash(certificate: str) -> str:
    known = x509.load_pem_x509_certificate(certificate.encode())
    key = known.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
