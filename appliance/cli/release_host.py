"""What a change of releases does to a machine: programs, services, units, settings.

Each release is asked through its own command, as the user of the services: nothing of
another release is imported here, and nothing that it writes is root's.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import MatineeError
from appliance.keyring import sync_folder
from appliance.operations.releases import Layout
from jobs.tools import process
from jobs.tools.process import ProcessFailed, Run

# What may take minutes to come to its end is not waited for.
_MEDIA = ("matinee-media.service", "matinee-gpu.service")
_NGINX = "matinee-nginx.service"
_FIRST = "matinee-web.service"
_RECOVER = "matinee-recover.service"
_APART = (_FIRST, _NGINX, _RECOVER, *_MEDIA)
# What of the installer says which services run as they should.
_APPLYING = "ansible/roles/services/files/apply.sh"
_TRIGGERS = ("matinee-*.socket", "matinee-*.timer", "matinee-*.path")
_OURS = ("matinee-*.service", *_TRIGGERS)
_UNHURRIED_SECONDS = 1800.0
_SERVICE_SECONDS = 180.0
_LOOK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Host:
    """The machine; ``user`` is whom the services run as, empty for whoever asks."""

    layout: Layout
    user: str = "matinee"

    def ask(
        self, version: str, *words: str, seconds: float = _UNHURRIED_SECONDS
    ) -> Any:
        """Run a command of a release as the services do; return what it printed.

        One that ends with 1 and prints a document has said what it found. Errors:
        ``MatineeError`` with the sentence of that command.
        """
        lines: list[str] = []

        def keep(line: str) -> bool:
            lines.append(line)
            return True

        program = str(self.layout.program(version))
        command = [*self._as_user(), program, *words, "--json"]
        try:
            process.run(command, Run(timeout=seconds), keep)
        except ProcessFailed as failure:
            if not lines:
                raise _told(failure) from failure
        try:
            return json.loads("\n".join(lines))
        except ValueError as error:
            raise MatineeError(
                "release.answer", f"matinee {words[0]} of {version} printed no answer."
            ) from error

    def check_settings(self, version: str) -> None:
        """Have a release read the configuration. Errors: its sentence."""
        self.ask(version, "config", "check", seconds=_LOOK_SECONDS)

    def place_units(self, version: str, instead_of: str) -> None:
        """Give systemd the units of a release; those of the other only go."""
        old, new = (
            self.layout.release(each) / "systemd" for each in (instead_of, version)
        )
        gone = {path.name for path in old.glob("matinee*.*") if path.is_file()}
        gone -= {path.name for path in new.glob("matinee*.*")}
        for name in sorted(gone):
            self.systemctl("disable", "--now", name)
            (self.layout.units / name).unlink(missing_ok=True)
        for path in new.rglob("*"):
            place = self.layout.units / path.relative_to(new)
            # What stays as it is keeps its time: nothing is started anew for it.
            if path.is_file() and not _same(path, place):
                place.parent.mkdir(mode=0o755, exist_ok=True)
                shutil.copy2(path, place)
        self.systemctl("daemon-reload")

    def restart(self, version: str, *, firmly: bool = False) -> None:
        """Let the services run as the release in use, the portal first.

        nginx stays: it reads its new configuration, and who plays goes on. ``firmly``:
        a portal that cannot be relieved is ended, though people wait meanwhile.
        """
        services = self._enabled("matinee-*.service")
        if _FIRST in services:
            self._relieve(_FIRST, firmly=firmly)
        self.render(version)
        others = [each for each in services if each not in _APART]
        if others:
            self.systemctl("restart", *others)
        media = [each for each in services if each in _MEDIA]
        if media:
            self.systemctl("--no-block", "restart", *media)
        if triggers := self._enabled(*_TRIGGERS):
            self.systemctl("start", *triggers)
        self._note(version, [e for e in services if e not in (_NGINX, _RECOVER)])

    def _relieve(self, service: str, *, firmly: bool) -> None:
        """Start the new one beside the old, so that nobody waits.

        It has the rights of the old one: where its unit says others, they wait for as
        long as it takes to start, and their calls are kept.
        """
        if self._is_of_before(service):
            self.systemctl("restart", service)
            return
        try:
            self.systemctl("reload-or-restart", service)
        except ProcessFailed:
            if not firmly:
                raise
            self.systemctl("restart", service)

    def _is_of_before(self, service: str) -> bool:
        """Say whether a service was started before its unit was written."""
        wanted = "--property=ActiveEnterTimestamp,FragmentPath,DropInPaths"
        listed = self.systemctl("show", wanted, "--timestamp=unix", service)
        told = dict(line.split("=", 1) for line in listed if "=" in line)
        since = told.get("ActiveEnterTimestamp", "").removeprefix("@")
        files = f"{told.get('FragmentPath', '')} {told.get('DropInPaths', '')}".split()
        return bool(since) and any(
            Path(each).stat().st_ctime >= int(since) for each in files
        )

    def _note(self, version: str, services: Sequence[str]) -> None:
        """Let the installer of the release know, which would start them once more."""
        program = self.layout.release(version) / _APPLYING
        try:
            process.run(["bash", str(program), "--note", *services], Run(timeout=60.0))
        except ProcessFailed:  # one of before knows no notes, and starts them again
            shutil.rmtree(self.layout.root / "run/matinee-applied", ignore_errors=True)

    def render(self, version: str) -> None:
        """Have nginx work by the configuration that a release renders."""
        if _NGINX not in self._enabled(_NGINX):
            return
        program = str(self.layout.program(version))
        process.run([program, "nginx", "install"], Run(timeout=_SERVICE_SECONDS))
        self.systemctl("start", _NGINX)

    def stop(self) -> None:
        """Stop whatever opens the database, or would start what does.

        nginx goes on: films play, and pages say that they are away for a moment.
        """
        listed = self.systemctl("list-units", "--plain", "--no-legend", *_OURS)
        loaded = [line.split()[0] for line in listed if line.split()]
        users = [each for each in loaded if each != _NGINX]
        if users:
            self.systemctl("stop", *users)

    def keep_settings(self, version: str) -> None:
        """Keep the configuration that a release has worked with."""
        if self.layout.configuration.is_file():
            self._copy(self.layout.configuration, self.kept_settings(version))

    def put_back_settings(self, version: str) -> None:
        """Bring back the configuration that a release worked with last."""
        if self.kept_settings(version).is_file():
            self._copy(self.kept_settings(version), self.layout.configuration)

    def kept_settings(self, version: str) -> Path:
        """Return where the configuration of a release is kept."""
        return self.layout.configuration.parent / "releases" / f"{version}.toml"

    def systemctl(self, *words: str) -> list[str]:
        """Ask systemd; return the lines of its answer."""
        command = ["systemctl", *words]
        done = process.run(command, Run(timeout=_SERVICE_SECONDS))
        return done.out.splitlines()

    def _enabled(self, *patterns: str) -> list[str]:
        listed = self.systemctl(
            "list-unit-files", "--no-legend", "--state=enabled", *patterns
        )
        return [line.split()[0] for line in listed if line.split()]

    def _as_user(self) -> Sequence[str]:
        """Let systemd start it: with nothing of root's, and whatever holds us back."""
        if not self.user:
            return ()
        return (
            *("systemd-run", "--quiet", "--wait", "--pipe", "--collect"),
            *(f"--uid={self.user}", f"--gid={self.user}", "--working-directory=/"),
            *("--property=UMask=0027", "--slice=matinee.slice", "--"),
        )

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        """Copy with owner and mode, whole or not at all."""
        target.parent.mkdir(mode=0o700, exist_ok=True)
        aside = target.with_name(f".{target.name}.new")
        shutil.copy2(source, aside)
        found = source.stat()
        os.chown(aside, found.st_uid, found.st_gid)
        aside.replace(target)
        sync_folder(target.parent)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _told(failure: ProcessFailed) -> MatineeError:
    """Return the error that a command printed as a document, as an error of ours."""
    text = str(failure.details.get("log_tail", ""))
    _, found, document = text.partition("\n{")
    if not found:
        return failure
    try:
        error = json.JSONDecoder().raw_decode("{" + document)[0]["error"]
        return MatineeError(error["code"], error["message"])
    except (KeyError, ValueError, TypeError):
        return failure
