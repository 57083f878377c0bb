"""How a film is encoded: what the settings say, and its library otherwise."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from appliance.catalog import libraries, library_policy
from appliance.db import Database
from appliance.media.assets import Asset
from appliance.settings import Encode, Settings
from jobs.planning.ladder import LadderPolicy, ladder
from jobs.planning.source import from_facts

__all__ = ["LadderPolicy", "analyse_spec", "for_asset", "of"]


class Film(Protocol):
    """What analysing must know of an asset."""

    @property
    def source_path(self) -> str: ...


def for_asset(db: Database, settings: Settings, asset: Asset) -> LadderPolicy:
    """Return the policy of the library that the asset's title belongs to."""
    return of(settings.encode, libraries.policy_of_title(db, asset.title_id))


def of(encode: Encode, own: Mapping[str, Any]) -> LadderPolicy:
    """Return the settings with what a library says otherwise. Pure."""
    encode = library_policy.applied(encode, own)
    return LadderPolicy(
        codecs=library_policy.codecs(encode),
        max_height=encode.max_height,
        per_title=encode.per_title,
        quick_first=encode.quick_first,
        keep_source=encode.keep_source,
        preset=encode.preset,
        crf=encode.crf,
        keyframe_seconds=encode.keyframe_seconds,
        segment_seconds=encode.segment_seconds,
        normalise=encode.normalise,
        loudness=encode.loudness,
        surround=encode.surround,
    )


def analyse_spec(
    asset: Film, facts: Mapping[str, Any], policy: LadderPolicy
) -> dict[str, Any]:
    """Return what the step ``analyse`` is told of a film that was inspected."""
    picture = from_facts(facts).picture
    renditions = ladder(picture.width, picture.height, picture.rate, policy)
    return {
        "source": asset.source_path,
        "facts": dict(facts),
        "preset": policy.preset,
        "crf": policy.crf,
        "keyframe_seconds": policy.keyframe_seconds,
        "segment_seconds": policy.segment_seconds,
        "renditions": [dataclasses.asdict(each) for each in renditions],
    }
