"""Who signs a release: a key outside the repository, made when there is none.

Keys and signatures are those of minisign, so that ``minisign -V`` of Debian checks
them without anything of ours.
"""

import subprocess
import sys
from pathlib import Path


def key_pair(secret: Path) -> tuple[Path, Path]:
    """Return the files of the secret and the public key; make both the first time.

    A key that is made here has no password: its file, mode 0600, is the secret. One
    with a password asks for it at each release.
    """
    public = secret.with_suffix(".pub")
    if not secret.is_file():
        secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _minisign("-G", "-W", "-f", "-p", str(public), "-s", str(secret))
        secret.chmod(0o600)
        print(f"Made a key to sign releases with: keep {secret} safe", file=sys.stderr)
    if not public.is_file():
        _minisign("-R", "-p", str(public), "-s", str(secret))
    return secret, public


def sign(path: Path, secret: Path, comment: str) -> Path:
    """Sign a file; return the signature, which lies beside it."""
    signature = path.with_name(f"{path.name}.minisig")
    _minisign(
        "-S", "-s", str(secret), "-m", str(path), "-x", str(signature), "-t", comment
    )
    return signature


def _minisign(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ["minisign", *arguments], stdout=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        sys.exit("minisign signs releases: apt-get install minisign")
    if done.returncode:
        sys.exit("minisign did not do it; see above.")
