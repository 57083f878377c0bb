"""What a work unit reads, and whether it may be done where none of it lies. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.storage import Storage
from jobs import attempts
from jobs.attempts import Spec

# These take hours of a processor; the others take as long as carrying their files.
WORTH_CARRYING = frozenset({"analyse", "encode", "audio", "speech"})
_OF_THE_ATTEMPT = frozenset({"spec.json", "claim", "heartbeat.json"})


def portable(spec: Spec) -> bool:
    """Say whether a unit needs no more than a source and what others of its job made.

    Tracks that are installed are named by a ``path`` in a spec.
    """
    return not _names_a_path(spec.spec)


def names(storage: Storage, spec: Spec) -> Iterator[str]:
    """Yield the files that a unit reads, below the root of the storage."""
    source = spec.spec.get("source")
    if source and storage.path(source).is_file():
        yield str(source)
    done = attempts.done_place(spec.job, "")
    for folder in sorted(storage.path(done).glob("*")):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            wanted = folder.name in spec.needs or str(name) == "result.json"
            if wanted and path.is_file() and str(name) not in _OF_THE_ATTEMPT:
                yield str(done / folder.name / name)


def _names_a_path(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "path" in value or any(map(_names_a_path, value.values()))
    return isinstance(value, list) and any(map(_names_a_path, value))
