"""Start programs for the lab; what they said is in the error when they fail."""

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

Done = subprocess.CompletedProcess[str]

# Nothing of the machine that runs the tests leaks into a box by the environment.
CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "HOME": "/root",
}


class Failed(AssertionError):
    """A program ended with something other than 0."""


def run(
    *argv: str | Path,
    check: bool = True,
    words: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 900,
) -> Done:
    """Run a program to its end; ``words`` is what it reads from its input."""
    done = subprocess.run(
        [str(each) for each in argv],
        input=words,
        env=None if env is None else dict(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    if check and done.returncode != 0:
        raise Failed(said(done))
    return done


def said(done: Done) -> str:
    """Return what a program was, how it ended, and the end of what it printed."""
    command = shlex.join(done.args)[-1000:]
    printed = "\n".join(part[-6000:] for part in (done.stdout, done.stderr) if part)
    return f"{command} ended with {done.returncode}\n{printed}"
