"""The DASH manifest over stored tracks: static, live profile, segment timelines.

Addresses are relative to the manifest, which lies beside ``tracks/``. A steered one
names the hosts that they may be relative to (:mod:`appliance.delivery.steering`).
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from appliance.delivery import dash_keys, naming, steering, thumbnails, timeline, vod
from appliance.delivery.signalling import NO_SYSTEM, Signalling
from appliance.delivery.steering import Pathway
from appliance.media.tracks import Track, TrackKind

_PROFILE = "urn:mpeg:dash:profile:isoff-live:2011"
_ROLE_SCHEME = "urn:mpeg:dash:role:2011"
_ROLES = frozenset(
    {
        "main",
        "alternate",
        "supplementary",
        "commentary",
        "dub",
        "description",
        "caption",
        "subtitle",
        "forced-subtitle",
    }
)
_PURPOSE_SCHEME = "urn:tva:metadata:cs:AudioPurposeCS:2007"
# 1 is sound for the visually impaired, 2 what is for the hard of hearing.
_PURPOSES = {
    (TrackKind.AUDIO, "description"): "1",
    (TrackKind.TEXT, "caption"): "2",
}
_CHANNELS_SCHEME = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_SWITCHING_SCHEME = "urn:mpeg:dash:adaptation-set-switching:2016"
_TILE_SCHEME = "http://dashif.org/guidelines/thumbnail_tile"


def manifest(
    tracks: Sequence[Track],
    duration: float,
    signalling: Signalling = NO_SYSTEM,
    pathways: Sequence[Pathway] = (),
) -> str:
    """Render the MPD; ``duration`` is the film's, in seconds.

    With ``pathways`` a player asks beside it which of them to take; the last is where
    it begins without an answer.
    """
    length = timeline.length(tracks, duration)
    protected = any(each.kid for each in tracks)
    mpd = ET.Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            **(dash_keys.NAMESPACES if protected else {}),
            "profiles": _PROFILE,
            "type": "static",
            "mediaPresentationDuration": f"PT{length:.6f}S",
            "minBufferTime": "PT4S",
        },
    )
    _steer(mpd, pathways)
    period = ET.SubElement(mpd, "Period", {"id": "0", "start": "PT0S"})
    by_kind: Mapping[TrackKind, list[Track]] = {
        kind: [each for each in tracks if each.kind is kind] for kind in TrackKind
    }
    _video(period, by_kind[TrackKind.VIDEO], signalling)
    _audio(period, by_kind[TrackKind.AUDIO], signalling)
    _texts(period, by_kind[TrackKind.TEXT])
    for track in by_kind[TrackKind.THUMBNAILS]:
        _thumbnails(period, track)
    for number, each in enumerate(period, start=1):
        each.set("id", str(number))
    ET.indent(mpd)
    text = ET.tostring(mpd, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _steer(mpd: ET.Element, pathways: Sequence[Pathway]) -> None:
    for way in pathways:
        base = ET.SubElement(mpd, "BaseURL", {"serviceLocation": way.id})
        base.text = way.folder or "./"
    if pathways:
        asked = {"defaultServiceLocation": pathways[-1].id, "queryBeforeStart": "true"}
        ET.SubElement(mpd, "ContentSteering", asked).text = steering.NAME


def _video(period: ET.Element, tracks: list[Track], signalling: Signalling) -> None:
    """One set for each family of codecs and each key.

    A player switches inside a set, and between the sets of a family as they say.
    """
    sets: dict[tuple[str, str | None], list[Track]] = {}
    for track in sorted(tracks, key=_family):
        sets.setdefault((_family(track), track.kid), []).append(track)
    ids = {key: len(period) + place for place, key in enumerate(sets, start=1)}
    for (family, kid), renditions in sets.items():
        adaptation = _segmented_set(period, "video")
        _size(adaptation, renditions)
        dash_keys.protect(adaptation, renditions[0], signalling)
        others = [str(ids[key]) for key in sets if key[0] == family and key[1] != kid]
        if others:
            linked = {"schemeIdUri": _SWITCHING_SCHEME, "value": ",".join(others)}
            ET.SubElement(adaptation, "SupplementalProperty", linked)
        _role(adaptation, "main")
        for track in renditions:
            shape = {"width": track.width, "height": track.height, "sar": "1:1"}
            rate = _frame_rate(track)
            _segmented(adaptation, track, {**shape, "frameRate": rate})


def _size(adaptation: ET.Element, renditions: list[Track]) -> None:
    largest = max(renditions, key=lambda each: each.height or 0)
    adaptation.set("maxWidth", str(largest.width))
    adaptation.set("maxHeight", str(largest.height))


def _audio(period: ET.Element, tracks: list[Track], signalling: Signalling) -> None:
    names = naming.names(tracks)
    for track in tracks:
        adaptation = _segmented_set(period, "audio")
        dash_keys.protect(adaptation, track, signalling)
        _describe(adaptation, track, names[track.id])
        _accessible(adaptation, track)
        _role(adaptation, track.role)
        rate = track.facts.get("sample_rate")
        representation = _segmented(adaptation, track, {"audioSamplingRate": rate})
        if track.channels:
            channels = ET.Element(
                "AudioChannelConfiguration",
                {"schemeIdUri": _CHANNELS_SCHEME, "value": str(track.channels)},
            )
            representation.insert(0, channels)


def _texts(period: ET.Element, tracks: list[Track]) -> None:
    names = naming.names(tracks)
    for track in tracks:
        adaptation = ET.SubElement(
            period,
            "AdaptationSet",
            {"contentType": "text", "mimeType": "text/vtt"},
        )
        _describe(adaptation, track, names[track.id])
        _accessible(adaptation, track)
        _role(adaptation, track.role if track.role != "main" else "subtitle")
        representation = ET.SubElement(
            adaptation,
            "Representation",
            {"id": track.public_id, "bandwidth": str(max(1, track.bandwidth))},
        )
        file = ET.SubElement(representation, "BaseURL")
        file.text = f"tracks/{track.public_id}/{track.facts['file']}"


def _thumbnails(period: ET.Element, track: Track) -> None:
    """One sheet is one segment: so many rows and columns of pictures."""
    facts = track.facts
    columns, rows = facts["columns"], facts["rows"]
    adaptation = ET.SubElement(
        period, "AdaptationSet", {"contentType": "image", "mimeType": "image/jpeg"}
    )
    span = Fraction(str(facts["step"])) * columns * rows
    ET.SubElement(
        adaptation,
        "SegmentTemplate",
        {
            "media": f"tracks/{track.public_id}/$Number%05d$.jpg",
            "duration": str(span.numerator),
            "timescale": str(span.denominator),
            "startNumber": "1",
        },
    )
    representation = ET.SubElement(
        adaptation,
        "Representation",
        {
            "id": track.public_id,
            "bandwidth": str(thumbnails.bandwidth(track)),
            "width": str(facts["width"] * columns),
            "height": str(facts["height"] * rows),
        },
    )
    ET.SubElement(
        representation,
        "EssentialProperty",
        {"schemeIdUri": _TILE_SCHEME, "value": f"{columns}x{rows}"},
    )


def _segmented_set(period: ET.Element, kind: str) -> ET.Element:
    return ET.SubElement(
        period,
        "AdaptationSet",
        {
            "contentType": kind,
            "mimeType": f"{kind}/mp4",
            "segmentAlignment": "true",
            "startWithSAP": "1",
        },
    )


def _segmented(
    adaptation: ET.Element, track: Track, attributes: Mapping[str, object]
) -> ET.Element:
    representation = ET.SubElement(
        adaptation,
        "Representation",
        {
            "id": track.public_id,
            "bandwidth": str(track.bandwidth),
            "codecs": track.codec,
            **{name: str(value) for name, value in attributes.items() if value},
        },
    )
    names = f"tracks/{track.public_id}/{vod.prefix(track)}"
    template = ET.SubElement(
        representation,
        "SegmentTemplate",
        {
            "timescale": str(track.facts["timescale"]),
            "initialization": f"{names}init.mp4",
            "media": f"{names}$Number%05d$.m4s",
            "startNumber": "1",
        },
    )
    _timeline(template, track.facts["segments"])
    return representation


def _timeline(template: ET.Element, ticks: Iterable[int]) -> None:
    segments = ET.SubElement(template, "SegmentTimeline")
    for length, count in timeline.runs(list(ticks)):
        attributes = {"d": str(length)} | ({"r": str(count - 1)} if count > 1 else {})
        ET.SubElement(segments, "S", attributes)
    segments[0].set("t", "0")


def _describe(adaptation: ET.Element, track: Track, name: str) -> None:
    code = naming.language(track)
    if code:
        adaptation.set("lang", code)
    ET.SubElement(adaptation, "Label").text = name


def _accessible(adaptation: ET.Element, track: Track) -> None:
    """Say for whom a track is, as DVB and DASH-IF have it: roles alone do not."""
    purpose = _PURPOSES.get((track.kind, track.role))
    if purpose is not None:
        said = {"schemeIdUri": _PURPOSE_SCHEME, "value": purpose}
        ET.SubElement(adaptation, "Accessibility", said)


def _role(adaptation: ET.Element, role: str) -> None:
    value = role if role in _ROLES else "main"
    ET.SubElement(adaptation, "Role", {"schemeIdUri": _ROLE_SCHEME, "value": value})


def _family(track: Track) -> str:
    return track.codec.partition(".")[0]


def _frame_rate(track: Track) -> str | None:
    if not track.frame_rate:
        return None
    return str(Fraction(track.frame_rate))
