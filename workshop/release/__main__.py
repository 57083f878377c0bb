"""``make release``: build the bundle, and say where it lies and who signed it."""

import argparse
import os
import time
from pathlib import Path

from workshop.release import bundle, signing
from workshop.release.bundle import Wish

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="make release", description="Build a release: one signed file."
    )
    parser.add_argument("--version", default="", help="in place of the tree's own")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder")
    parser.add_argument(
        "--with-debs", action="store_true", help="with the Debian packages: air-gapped"
    )
    parser.add_argument(
        "--without-speech", action="store_true", help="without captions by machine"
    )
    wish = parser.parse_args()
    secret = os.environ.get("MATINEE_RELEASE_KEY") or "var/release-keys/matinee.key"
    started = time.monotonic()
    made = bundle.build(
        Wish(
            checkout=ROOT,
            out=wish.out,
            cache=ROOT / "var" / "release-cache",
            secret=ROOT / secret,
            version=wish.version,
            speech=not wish.without_speech,
            debs=wish.with_debs,
        )
    )
    _, public = signing.key_pair(ROOT / secret)
    print(f"{made}  {made.stat().st_size / 1e6:.0f} MB")
    print(f"signed by {public.read_text().splitlines()[-1]}")
    print(f"{time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
