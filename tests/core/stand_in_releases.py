"""A machine with releases whose programs do next to nothing, but in the right order.

What they are asked for is written to a log; the “database” is a file with the names of
its migrations. What a release can do, and what is wrong with it, lies beside it.
"""

import json
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.operations.releases import COMPLETE, Layout

FAR_FUTURE = 4_000_000_000
"""Since when the portal runs, in a machine where its unit is as old as itself."""

_PROGRAM = """#!{python} -IS
import json, shutil, sys
from pathlib import Path
root, version = Path({root!r}), {version!r}
words = [each for each in sys.argv[1:] if each != "--json"]
with (root / "log").open("a") as log:
    log.write(version + " " + " ".join(words) + chr(10))
able = json.loads((root / (version + ".json")).read_text())
database = root / "database"
applied = database.read_text().split()

def refuse(code, message):
    error = {{"code": code, "message": message}}
    sys.stderr.write(json.dumps({{"error": error}}, indent=2))
    sys.exit(3)

for broken, message in able["broken"].items():
    if " ".join(words).startswith(broken):
        refuse("test.broken", message)
unknown = [each for each in applied if each not in able["knows"]]
if words[0] == "migrate" and "--snapshot" not in words and "--put-back" not in words:
    if unknown and not able["bears"]:
        refuse("database.newer", "The database is newer.")
    new = [each for each in able["knows"] if each not in applied]
    if words[1:] == ["--trial"]:
        print(json.dumps({{"would_apply": new, "contracts": able["contracts"]}}))
    else:
        database.write_text(" ".join(applied + new))
        print(json.dumps({{"applied": new}}))
elif words[:2] == ["migrate", "--snapshot"]:
    copy = root / ("copy-" + words[2])
    shutil.copy(database, copy)
    print(json.dumps({{"snapshot": str(copy)}}))
elif words[:2] == ["migrate", "--put-back"]:
    shutil.copy(words[2], database)
    print(json.dumps({{}}))
elif words[0] == "doctor":
    ill = able["ill"]
    print(json.dumps({{"ok": not ill, "checks": [
        {{"id": each, "level": "fail", "sentence": "it hurts"}} for each in ill]}}))
    sys.exit(1 if ill else 0)
else:
    print(json.dumps({{}}))
"""
_SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >> {root}/log
case "$*" in
reload-or-restart*)
    ! [ -e {root}/stuck ] || exit 1 ;;
show*)
    printf 'ActiveEnterTimestamp=@%s\n' "$(cat {root}/since)"
    printf 'FragmentPath={root}/etc/systemd/system/matinee-web.service\n' ;;
*list-unit-files*.timer*)
    printf 'matinee-web.socket enabled\\nmatinee-backup.timer enabled\\n' ;;
*list-unit-files*nginx*)
    printf 'matinee-nginx.service enabled\\n' ;;
*list-units*)
    printf 'matinee-web.service loaded\\nmatinee-nginx.service loaded\\n'
    printf 'matinee-web.socket loaded\\n' ;;
*list-unit-files*)
    printf 'matinee-web.service enabled\\nmatinee-control.service enabled\\n'
    printf 'matinee-media.service enabled\\nmatinee-nginx.service enabled\\n' ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """Where it lies; ``bin`` has its systemctl."""

    root: Path
    layout: Layout

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    def add(
        self,
        version: str,
        knows: str,
        *,
        bears: bool = True,
        contracts: tuple[str, ...] = (),
        ill: tuple[str, ...] = (),
        broken: dict[str, str] | None = None,
    ) -> None:
        """Install a release, or change one."""
        folder = self.layout.release(version)
        (folder / "systemd").mkdir(parents=True, exist_ok=True)
        (folder / "systemd" / "matinee-web.service").write_text(version)
        program = self.layout.program(version)
        program.parent.mkdir(parents=True, exist_ok=True)
        text = _PROGRAM.format(
            python=sys.executable, root=str(self.root), version=version
        )
        _script(program, text)
        able = {
            "knows": knows.split(),
            "bears": bears,
            "contracts": contracts,
            "ill": ill,
            "broken": broken or {},
        }
        (self.root / f"{version}.json").write_text(json.dumps(able))
        (folder / "release.json").write_text(json.dumps({"version": version}))
        (folder / COMPLETE).touch()

    @property
    def log(self) -> list[str]:
        """What was asked for since the last time, without what only looks."""
        path = self.root / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        looks = ("list-unit", "systemctl show")
        return [line for line in lines if not any(each in line for each in looks)]

    @property
    def database(self) -> str:
        return (self.root / "database").read_text()

    @property
    def unit(self) -> str:
        return (self.layout.units / "matinee-web.service").read_text()


def machine(root: Path) -> Machine:
    """Make a machine with a database, a configuration, and no release."""
    made = Machine(root, Layout(root))
    made.bin.mkdir()
    made.layout.units.mkdir(parents=True)
    made.layout.configuration.parent.mkdir(parents=True)
    made.layout.configuration.write_text("of the time")
    (root / "database").write_text("people films")
    (root / "since").write_text(f"{FAR_FUTURE}")
    _script(made.bin / "systemctl", _SYSTEMCTL.format(root=root))
    return made


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
