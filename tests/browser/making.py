"""What pages about making films show: machines, jobs, reports, markers, captions."""

import json
from dataclasses import dataclass
from typing import Any

from appliance.captions.description import Description
from appliance.catalog import libraries, titles
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.media import assets, captions, jobs, markers, quality
from appliance.media.assets import Asset
from appliance.media.markers import MarkerKind, Stretch
from appliance.objects import Stores
from appliance.permissions import SYSTEM
from jobs.machines import nodes
from tests.browser.live_portal import LivePortal
from tests.core.test_quality_documents import found
from tests.pipeline.control_room import facts

_GIGA = 1_000_000_000
_MACHINE: dict[str, Any] = {
    "place": "elsewhere",
    "encoders": [
        {"codec": codec, "family": "vaapi", "device": "/dev/dri/renderD128", "fps": 180}
        for codec in ("h264", "hevc")
    ],
    "slots": {"cpu": 8, "gpu": 2},
    "roles": ["cpu", "gpu"],
    "load": 6.4,
    "cores": 8,
    "memory_free": 11 * _GIGA,
    "memory_total": 32 * _GIGA,
    "scratch_free": 412 * _GIGA,
}
_HUNG = (
    "VA-API on /dev/dri/renderD128 does not encode HEVC for now, the processor does:"
    " ffmpeg did not get on for 120 seconds and was stopped."
)
_SAID = (
    "The trees remember",
    "more than the people do,\nsaid the gardener.",
    "And what do they remember?",
)
_SRT = "".join(
    f"{number}\n00:00:{4 * number:02},000 --> 00:00:{4 * number + 3:02},000\n{said}\n\n"
    for number, said in enumerate(_SAID, 1)
).encode()


@dataclass(frozen=True, slots=True)
class Making:
    """Where its pages are: slugs and ids for the addresses."""

    slug: str
    job: str
    library: str
    captions: str

    def pages(self) -> tuple[str, ...]:
        """Return the addresses of the pages, below ``/studio``."""
        title = f"/studio/titles/{self.slug}"
        return (
            "/studio/nodes",
            "/studio/jobs",
            f"/studio/jobs/{self.job}",
            "/studio/quality",
            f"{title}/quality",
            title,
            f"{title}/markers",
            f"{title}/supplement",
            f"{title}/captions/{self.captions}",
            "/studio/libraries",
            f"/studio/libraries/{self.library}",
        )


def fill(portal: LivePortal, film: Title) -> Making:
    """Let there be a library, a report to review, machines, and a job in trouble."""
    asset = assets.playable(portal.db, film.id)
    assert asset is not None
    assets.inspected(portal.db, asset.id, facts(), None)
    announce(portal)
    library = _library(portal, film, asset)
    quality.record(portal.db, asset.id, asset.version, found())
    for kind, start, end in (
        (MarkerKind.INTRO, 1, 4),
        (MarkerKind.CHAPTER, 4, 13),
        (MarkerKind.CREDITS, 13, 16),
    ):
        markers.add(portal.db, SYSTEM, asset.id, Stretch(kind, start, end))
    stores = Stores(portal.make.storage, portal.settings)
    described = Description.of("fr")
    held = captions.add(portal.db, stores, SYSTEM, film.slug, _SRT, described).held
    return Making(film.slug, _job(portal), library, held.id)


def announce(portal: LivePortal) -> None:
    """Let there be a machine at work, one that is degraded, and one that is refused.

    They count as lost when nothing was heard of them for a while.
    """
    doing = {"job": "0123456789abcdef", "unit": "encode-hevc-0007", "seconds": 74}
    for name, told in (
        ("encoder-1", {"doing": [doing | {"progress": 0.4, "fps": 61.2}]}),
        ("encoder-2", {"labels": ["rack-2", "fast"], "degraded": [_HUNG]}),
        (
            "an-old-machine-with-a-long-name-in-the-cellar",
            {"refused": "This machine takes no work: its ffmpeg is another."},
        ),
    ):
        text = json.dumps({"name": name, "pid": 4711, **_MACHINE, **told})
        portal.storage.write(nodes.FOLDER / f"{name}.json", text.encode())


def _library(portal: LivePortal, film: Title, asset: Asset) -> str:
    fields = {"codecs": "h264,av1", "max_height": 1080, "keep_source": "verified"}
    encode = portal.settings.encode
    made = libraries.add(portal.db, SYSTEM, encode, "Evening films", fields)
    titles.edit(portal.db, SYSTEM, film.slug, library_id=made.id)
    renditions = [
        {
            "name": name,
            "codec": "h264",
            "quality": 24,
            "kept": kept,
            "score": 93.1,
            "kbps": 210,
            "cap": 600,
            "why": "Like most films."
            if kept
            else "Looks like 360p: nobody would see what it adds.",
        }
        for name, kept in (("234p", True), ("360p", True), ("480p", False))
    ]
    analysis = {
        "kind": "film",
        "measure": "vmaf",
        "renditions": renditions,
        "saved": {"percent": 31, "bytes": 212 * 10**6},
    }
    portal.db.table("assets").update(asset.id, {"analysis": json.dumps(analysis)})
    return made.slug


def _job(portal: LivePortal) -> str:
    """Make a job that two machines share, one of which lost its graphics processor."""
    title = portal.make.title("Night Train", state="processing")
    asset = portal.make.asset(title, state="processing")
    job = portal.make.job(asset, state="running", started_at=portal.db.now(seconds=-90))
    fallback = (
        "The processor encodes H.264 in place of VA-API. encoder-2: VA-API on"
        " /dev/dri/renderD128 did not encode this. ffmpeg did not get on for 120"
        " seconds and was stopped."
    )
    encoder = {"codec": "h264", "family": "software", "fallback": fallback}
    renditions = [
        {"name": name, "width": width, "height": height}
        for name, width, height in (("360p", 640, 360), ("1080p", 1920, 1080))
    ]
    rows: list[tuple[str, str, str, str, dict[str, Any]]]
    rows = [("inspect", "inspect", "done", "encoder-1", {})]
    states = ("done", "done", "running", "running", "queued", "waiting")
    rows += [
        (
            f"encode-{number:04}",
            "encode",
            state,
            f"encoder-{number % 2 + 1}" if state in ("done", "running") else "",
            {"encoder": encoder, "renditions": renditions},
        )
        for number, state in enumerate(states)
    ]
    rows.append(("package", "package", "waiting", "", {"encryption": {"sealed": "x"}}))
    key, now = jobs.by_public_id(portal.db, job).id, portal.db.now
    with write(portal.db):
        for position, (name, step, state, node, spec) in enumerate(rows):
            done, runs = state == "done", state == "running"
            portal.db.table("work_units").insert(
                {
                    "job_id": key,
                    "name": name,
                    "step": step,
                    "position": position,
                    "weight": 10,
                    "state": state,
                    "node": node,
                    "progress": 1 if done else 0.4 if runs else 0,
                    "fps": 41.5 if runs else None,
                    "attempt": 0 if state == "waiting" else 1,
                    "started_at": now(seconds=-60) if done or runs else None,
                    "heartbeat_at": now() if runs else None,
                    "ended_at": now(seconds=-12) if done else None,
                    "spec": json.dumps(spec),
                }
            )
    return job
