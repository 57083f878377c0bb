"""Is this bundle to be used? Asked before anything of ours is installed.

    python3 -I verify FOLDER-OR-FILE [--key RW…] [--key-file FILE]

In a bundle it is ``verify/__main__.py``, with the one module of ours that it needs
beside it. The mathematics is done by openssl, which every Debian with ca-certificates
has; ``minisign -V`` of Debian checks the same files independently of us.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from appliance.operations.bundle_proof import (
    KEY,
    TRUSTED,
    Key,
    Refused,
    check_file,
    check_folder,
    read_key,
)

# The head of a public key for OpenSSL: “the 32 bytes that follow are of Ed25519”.
_SPKI = bytes.fromhex("302a300506032b6570032100")


def main() -> int:
    """Check the bundle that the command line names, before anything is installed."""
    parser = argparse.ArgumentParser(description="Is this release bundle to be used?")
    parser.add_argument("bundle", type=Path, help="the file, or the unpacked folder")
    parser.add_argument("--key", help="the public key of whom you got it from (RW…)")
    parser.add_argument("--key-file", type=Path, help="the file of that key")
    wish = parser.parse_args()
    bundle = wish.bundle.resolve()
    try:
        key, known = _chosen(wish.key, wish.key_file, bundle)
        check = check_folder if bundle.is_dir() else check_file
        version = check(bundle, [key], openssl)
    except (Refused, OSError) as refusal:
        print(f"Refused: {refusal}", file=sys.stderr)
        return 1
    print(f"Matinee {version}, signed by {key.text}")
    if not known:
        print(
            "That key came with the bundle: compare it with the one your supplier"
            " publishes, or give that one with --key.",
            file=sys.stderr,
        )
    return 0


def _chosen(key: str | None, file: Path | None, bundle: Path) -> tuple[Key, bool]:
    """Return the key to believe, and whether it is known apart from the bundle."""
    if key:
        return read_key(key), True
    if file is None and TRUSTED.is_file():
        file = TRUSTED
    if file is not None:
        return read_key(file.read_text()), True
    beside = bundle / KEY if bundle.is_dir() else bundle.with_name(KEY)
    if not beside.is_file():
        raise Refused("release.key", "Give the public key of your supplier with --key.")
    return read_key(beside.read_text()), False


def openssl(point: bytes, signature: bytes, message: bytes) -> bool:
    """Check an Ed25519 signature with the openssl of the machine."""
    if shutil.which("openssl") is None:
        raise Refused(
            "release.openssl", "openssl checks signatures: apt-get install openssl"
        )
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": _SPKI + point, "signature": signature, "message": message}
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER"]
        command += ["-inkey", "key", "-rawin", "-in", "message"]
        done = subprocess.run(
            [*command, "-sigfile", "signature"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
