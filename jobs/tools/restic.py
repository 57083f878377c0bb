"""Backups in a repository of restic: encrypted, and without anything twice.

One snapshot is one backup. Its tags say which; what the repository needs to be opened
goes to restic by its environment and by a file in memory, never as an argument.
"""

import json
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import NotFound, PreconditionFailed, StorageFull
from appliance.operations.backups import manifest
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.places import MARK, Bundle
from jobs.tools import process
from jobs.tools.process import Finished, ProcessFailed, Run

_OURS, _MARK = "matinee", "matinee-mark"
_NAME, _INSTALLATION = "name:", "installation:"
# Fewer are asked for by name, more by their folder.
_BY_NAME = 200
_NO_REPOSITORY = re.compile(r"Is there a repository|does not exist|config file.*exist")
_WRONG_PASSWORD = "wrong password"  # noqa: S105 - what restic says
_FULL = "no space left on device"


@dataclass(frozen=True, slots=True)
class ResticPlace:
    """A repository; ``environ`` holds what else its server wants to know."""

    repository: str = field(repr=False)
    password: str = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    cache: Path

    @property
    def name(self) -> str:
        return f"restic:{re.sub(r'//[^/@]*@', '//', self.repository)}"

    def owner(self) -> str:
        try:
            found = self._snapshots()
        except NotFound:
            return ""
        tags = [tag for each in found for tag in each.get("tags") or ()]
        owners = [tag for tag in tags if tag.startswith(_INSTALLATION)]
        return owners[-1].removeprefix(_INSTALLATION) if owners else ""

    def claim(self, installation: str) -> None:
        try:
            self._snapshots()
        except NotFound:
            self._restic("init")
        with tempfile.TemporaryDirectory(prefix="matinee-restic-") as folder:
            mark = Path(folder, MARK)
            mark.write_text(json.dumps({"installation": installation}), "utf-8")
            tags = f"{_MARK},{_INSTALLATION}{installation}"
            self._restic("backup", "--tag", tags, str(mark))

    def names(self) -> list[str]:
        return sorted(self._ids())

    def fetch(self, name: str, part: str, target: Path) -> None:
        snapshot = self._id(name)
        ends = f"/{name}/{part}"
        paths = [path for path in self._sizes(snapshot) if path.endswith(ends)]
        if not paths:
            raise NotFound(
                "backup.missing", f"There is no {part} of {name} in {self.name}."
            )
        aside = target.with_name(f".{target.name}.restic")
        self._bring(snapshot, paths[:1], aside)
        (aside / paths[0].lstrip("/")).replace(target)
        _remove_tree(aside)

    def take(self, root: Path, files: Sequence[Entry]) -> list[Entry]:
        """Return those that are there: restic takes them with the rest."""
        return [each for each in files if (root / each.path).is_file()]

    def keep(self, bundle: Bundle) -> None:
        with suppress(ProcessFailed):  # of a run that was killed
            self._restic("unlock")
        paths = [bundle.folder, *(bundle.root / each.path for each in bundle.files)]
        wanted = bundle.folder.with_name("restic-files")
        wanted.write_bytes(b"".join(bytes(path) + b"\0" for path in paths))
        before = self._ids()
        newest = max(before, default="")
        parent = ("--parent", before[newest]) if newest else ()
        tags = ("--tag", f"{_OURS},{_NAME}{bundle.name}")
        try:
            self._restic("backup", "--files-from-raw", str(wanted), *parent, *tags)
        except BaseException:
            # A snapshot that lacks a file is no backup.
            with suppress(ProcessFailed):
                for snapshot in self._of_name(bundle.name):
                    self._restic("forget", snapshot)
            raise

    def missing(self, name: str, files: Sequence[Entry]) -> list[Entry]:
        sizes = self._sizes(self._id(name))
        root = _root(sizes, files)
        return [
            each for each in files if sizes.get(f"{root}/{each.path}") != each.bytes
        ]

    def fetch_files(
        self, name: str, files: Sequence[Entry], work: Path
    ) -> Iterator[tuple[Entry, Path]]:
        if not files:
            return
        snapshot = self._id(name)
        root = _root(self._sizes(snapshot), files)
        paths = {f"{root}/{each.path}" for each in files}
        if len(paths) > _BY_NAME:
            paths = {f"{root}/{each.path.partition('/')[0]}" for each in files}
        self._bring(snapshot, sorted(paths), work)
        for each in files:
            yield each, work / root.lstrip("/") / each.path

    def remove(self, names: Collection[str]) -> None:
        known = self._ids()
        ids = [known[name] for name in names if name in known]
        if ids:
            self._restic("forget", *ids)

    def sweep(self, wanted: Collection[str]) -> None:  # noqa: ARG002 - it knows itself
        self._restic("prune")

    def _id(self, name: str) -> str:
        found = self._ids().get(manifest.require_name(name))
        if found is None:
            raise NotFound("backup.missing", f"There is no {name} in {self.name}.")
        return found

    def _ids(self) -> dict[str, str]:
        """Return the snapshots that are backups, by the names of these."""
        try:
            found = self._snapshots()
        except NotFound:
            return {}
        return {
            tag.removeprefix(_NAME): each["id"]
            for each in found
            for tag in each.get("tags") or ()
            if tag.startswith(_NAME) and manifest.is_name(tag.removeprefix(_NAME))
        }

    def _of_name(self, name: str) -> list[str]:
        tag = f"{_NAME}{name}"
        found = self._snapshots()
        return [each["id"] for each in found if tag in (each.get("tags") or ())]

    def _snapshots(self) -> list[dict[str, Any]]:
        """Return what restic tells of ours. Errors: ``NotFound`` for no repository."""
        told = self._restic(
            *("snapshots", "--json", "--no-lock", "--tag", _OURS, "--tag", _MARK)
        )
        found = json.loads(told.out or "[]")
        return [each for each in found or () if isinstance(each, dict)]

    def _sizes(self, snapshot: str) -> dict[str, int]:
        """Return the files of a snapshot with their sizes."""
        sizes: dict[str, int] = {}

        def line(text: str) -> bool:
            each = json.loads(text)
            if each.get("type") == "file":
                sizes[each["path"]] = each.get("size", 0)
            return True

        self._restic("ls", "--json", "--no-lock", snapshot, on_line=line)
        return sizes

    def _bring(self, snapshot: str, paths: Sequence[str], target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        included = [part for path in paths for part in ("--include", _literal(path))]
        self._restic(
            *("restore", "--no-lock", snapshot, "--target", str(target), *included)
        )

    def _restic(
        self, *args: str, on_line: Callable[[str], bool] | None = None
    ) -> Finished:
        environ = {
            **self.environ,
            "RESTIC_REPOSITORY": self.repository,
            "RESTIC_CACHE_DIR": str(self.cache),
        }
        secrets = [self.password, self.repository, *self.environ.values()]
        how = Run(environ=environ, secrets=secrets)
        with process.told_in_memory(how, self.password, []) as (told, path):
            command = ["restic", "--password-file", str(path), "--quiet", *args]
            try:
                return process.run(command, told, on_line)
            except ProcessFailed as error:
                raise self._explained(error) from error

    def _explained(self, error: ProcessFailed) -> Exception:
        said = str(error.details.get("log_tail", "")) + error.message
        if _WRONG_PASSWORD in said:
            return PreconditionFailed(
                "backup.restic-password",
                f"The password in section [restic] does not open {self.name}.",
            )
        if _FULL in said:
            return StorageFull(
                "backup.full", f"{self.name} has no room left: free some, or keep less."
            )
        if _NO_REPOSITORY.search(said):
            return NotFound(
                "backup.no-repository", f"There is no repository in {self.name}."
            )
        return error


def _root(sizes: Mapping[str, int], files: Sequence[Entry]) -> str:
    """Return where the storage lay when the files were taken."""
    for each in files:
        ends = f"/{each.path}"
        for path in sizes:
            if path.endswith(ends):
                return path.removesuffix(ends)
    return ""


def _literal(path: str) -> str:
    """Write a path so that restic takes nothing in it for a pattern."""
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def _remove_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir()
    folder.rmdir()
