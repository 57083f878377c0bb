"""Captions of a title: each change is a version, and none overwrites another."""

import dataclasses
from collections.abc import Callable

import pytest

from appliance.captions.cues import Captions, Cue
from appliance.captions.description import Description, Origin, Role
from appliance.db import Database
from appliance.delivery import hls
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, latest
from appliance.media import (
    assets,
    caption_switch,
    caption_tracks,
    captions,
    tracks,
    versions,
)
from appliance.media.assets import Asset
from appliance.media.caption_tracks import Held
from appliance.media.tracks import TrackKind
from appliance.objects import Stores
from appliance.permissions import SYSTEM
from appliance.permissions import Role as Who
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"
ENGLISH = Description.of("en")
SLUG = "the-film"


@pytest.fixture
def stores(storage: Storage, settings: Settings) -> Stores:
    return Stores(storage, settings)


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(make.title("The film", slug=SLUG), duration=60)


def _add(db: Database, stores: Stores, data: bytes = SRT) -> Held:
    return captions.add(
        db, stores, SYSTEM, SLUG, data, ENGLISH, source_name="C:\\films\\en.srt"
    ).held


def _machine_made(
    db: Database, stores: Stores, film: Asset, text: str = "Hello"
) -> Held:
    cues = Captions((Cue(1000, 2000, text, unsure=True),))
    facts = {"origin": Origin.AUTO}
    entry = caption_tracks.make(stores.storage, film, ENGLISH, cues, facts)
    caption_switch.put_machine_made(db, SYSTEM, film, entry, "job")
    return captions.listing(db, SYSTEM, SLUG)[-1]


def _text(db: Database, stores: Stores, held: Held) -> str:
    found = captions.opened(db, stores, SYSTEM, SLUG, held.id)
    return "|".join(cue.text for cue in found.captions.cues)


def test_a_file_becomes_a_track_that_players_are_told_of(
    db: Database, stores: Stores, film: Asset
) -> None:
    held = _add(db, stores)

    assert (held.language, held.label, held.role) == ("en", "English", Role.SUBTITLE)
    assert (held.cues, held.source_name, held.auto) == (1, "en.srt", False)
    [track] = caption_switch.of_film(db, film)
    path = stores.storage.existing(f"{track.path}/text.vtt")
    assert path.read_text() == ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n")
    assert assets.by_id(db, film.id).version == film.version + 1
    assert 'NAME="English"' in hls.multivariant(tracks.of_asset(db, film.id))
    assert tracks.files(db, track.id)


def test_each_change_is_a_version_one_can_go_back_to(
    db: Database, stores: Stores, film: Asset
) -> None:
    first = _add(db, stores)
    with_first = assets.by_id(db, film.id).version
    edited = Captions((Cue(1000, 2000, "Goodbye"),))

    second = captions.edit(
        db, stores, SYSTEM, SLUG, first.id, edited, version=first.version
    )

    assert second.id == first.id
    assert second.version != first.version
    assert _text(db, stores, second) == "Goodbye"
    film_now = assets.by_id(db, film.id)
    versions.restore(db, stores.settings, SYSTEM, film_now, with_first)
    [back] = captions.listing(db, SYSTEM, SLUG)
    assert back == first
    assert _text(db, stores, back) == "Hello"


def test_what_somebody_else_wrote_is_not_overwritten(
    db: Database, stores: Stores, film: Asset, make: Builders
) -> None:
    seen = _add(db, stores)
    mine, theirs = (Captions((Cue(0, 900, who),)) for who in ("mine", "theirs"))
    other = make.actor(Who.PUBLISHER, username="grace")
    captions.edit(db, stores, other, SLUG, seen.id, theirs, version=seen.version)

    with pytest.raises(Conflict) as refused:
        captions.edit(db, stores, SYSTEM, SLUG, seen.id, mine, version=seen.version)

    [now] = captions.listing(db, SYSTEM, SLUG)
    assert refused.value.code == "captions.changed"
    assert "grace" in refused.value.message
    assert refused.value.details["version"] == now.version
    assert _text(db, stores, now) == "theirs"
    folders = stores.storage.path(f"packages/{film.public_id}/tracks")
    named = {track.public_id for track in tracks.kept(db, film.id)}
    assert {folder.name for folder in folders.iterdir()} == named


def test_captions_removed_meanwhile_do_not_come_back(
    db: Database, stores: Stores, film: Asset
) -> None:
    seen = _add(db, stores)
    captions.remove(db, SYSTEM, SLUG, seen.id)

    with pytest.raises(NotFound):
        captions.shift(db, stores, SYSTEM, SLUG, seen.id, 500, version=seen.version)

    assert captions.listing(db, SYSTEM, SLUG) == []


def test_captions_of_the_source_can_be_changed_too(
    db: Database, stores: Stores, make: Builders
) -> None:
    make.asset(make.title("The film", slug=SLUG), captions=("en", "de"))
    english = next(
        each for each in captions.listing(db, SYSTEM, SLUG) if each.language == "en"
    )

    shifted = captions.shift(db, stores, SYSTEM, SLUG, english.id, 1500)

    found = captions.opened(db, stores, SYSTEM, SLUG, english.id)
    assert [(cue.start, cue.end) for cue in found.captions.cues] == [(2500, 3500)]
    assert shifted.id == english.id
    assert shifted.origin == "source"
    assert len(captions.listing(db, SYSTEM, SLUG)) == 2


def test_what_a_machine_wrote_says_so_until_somebody_reviewed_it(
    db: Database, stores: Stores, film: Asset
) -> None:
    made = _machine_made(db, stores, film)
    assert (made.label, made.auto) == ("English (auto)", True)

    edited = captions.edit(
        *(db, stores, SYSTEM, SLUG, made.id),
        Captions((Cue(1000, 2000, "Hallo", unsure=True),)),
        version=made.version,
    )
    assert (edited.label, edited.auto) == ("English (auto)", True)
    reviewed = captions.review(db, stores, SYSTEM, SLUG, made.id)

    assert (reviewed.label, reviewed.auto) == ("English", False)
    assert (reviewed.reviewed_by, reviewed.origin) == ("system", "auto")
    found = captions.opened(db, stores, SYSTEM, SLUG, made.id)
    assert not found.captions.cues[0].unsure
    with pytest.raises(Conflict):
        captions.review(db, stores, SYSTEM, SLUG, made.id)


def test_a_machine_replaces_only_what_nobody_has_touched(
    db: Database, stores: Stores, film: Asset
) -> None:
    _machine_made(db, stores, film, "first")
    second = _machine_made(db, stores, film, "second")
    assert [each.id for each in captions.listing(db, SYSTEM, SLUG)] == [second.id]
    captions.shift(db, stores, SYSTEM, SLUG, second.id, 100)

    _machine_made(db, stores, film, "third")

    said = [_text(db, stores, each) for each in captions.listing(db, SYSTEM, SLUG)]
    assert sorted(said) == ["second", "third"]


def test_language_name_and_role_can_be_changed(
    db: Database, stores: Stores, film: Asset
) -> None:
    held = _add(db, stores)
    described = Description.of("pt_br", "", "caption")

    changed = captions.describe(db, stores, SYSTEM, SLUG, held.id, described)

    assert (changed.language, changed.role) == ("pt-BR", Role.CAPTION)
    assert changed.label == "Português (Brasil)"


def test_another_file_takes_the_place_of_captions(
    db: Database, stores: Stores, film: Asset
) -> None:
    made = _machine_made(db, stores, film)
    data = b"WEBVTT\n\n00:01.000 --> 00:02.000\nBetter\n"

    added = captions.replace_text(
        db, stores, SYSTEM, SLUG, made.id, data, source_name="better.vtt"
    )

    assert (added.held.auto, added.held.label) == (False, "English")
    assert added.held.source_name == "better.vtt"
    assert _text(db, stores, added.held) == "Better"


def test_every_change_is_in_the_audit_log(
    db: Database, stores: Stores, film: Asset
) -> None:
    made = _machine_made(db, stores, film)
    captions.review(db, stores, SYSTEM, SLUG, made.id)
    captions.remove(db, SYSTEM, SLUG, made.id)

    seen = [
        (each.name, each.data["act"])
        for each in latest(db)
        if each.name.startswith("captions:")
    ]
    assert seen == [
        (Event.CAPTIONS_CHANGE, "make"),
        (Event.CAPTIONS_REVIEW, "review"),
        (Event.CAPTIONS_CHANGE, "remove"),
    ]


@pytest.mark.parametrize("verb", ["listing", "add", "shift", "edit", "remove"])
def test_only_who_may_edit_the_title_touches_its_captions(
    verb: str, db: Database, stores: Stores, film: Asset, make: Builders
) -> None:
    held = _add(db, stores)
    other = make.actor(Who.CONTRIBUTOR)
    acts: dict[str, Callable[[], object]] = {
        "listing": lambda: captions.listing(db, other, SLUG),
        "add": lambda: captions.add(db, stores, other, SLUG, SRT, ENGLISH),
        "shift": lambda: captions.shift(db, stores, other, SLUG, held.id, 1),
        "edit": lambda: captions.edit(
            *(db, stores, other, SLUG, held.id),
            Captions((Cue(0, 900, "x"),)),
            version=held.version,
        ),
        "remove": lambda: captions.remove(db, other, SLUG, held.id),
    }

    # A title that is not published is not even there for others.
    with pytest.raises((Forbidden, NotFound)):
        acts[verb]()


def test_a_title_without_a_film_takes_no_captions(
    db: Database, stores: Stores, make: Builders
) -> None:
    make.title("The film", slug=SLUG)

    with pytest.raises(Conflict) as refused:
        captions.add(db, stores, SYSTEM, SLUG, SRT, ENGLISH)

    assert refused.value.code == "captions.no-film"
    assert captions.listing(db, SYSTEM, SLUG) == []


@pytest.mark.parametrize(
    ("language", "name", "role"),
    [("english", "", "subtitle"), ("en", "x" * 61, "subtitle"), ("en", "", "poem")],
)
def test_nonsense_about_captions_is_refused(
    language: str, name: str, role: str
) -> None:
    with pytest.raises(InvalidInput):
        Description.of(language, name, role)


def test_nothing_is_left_of_captions_that_were_refused(
    db: Database, stores: Stores, film: Asset
) -> None:
    gone = dataclasses.replace(film, id=99_999)
    with pytest.raises(NotFound):
        _machine_made(db, stores, gone)
    with pytest.raises(InvalidInput):
        _add(db, stores, b"no captions")

    assert captions.listing(db, SYSTEM, SLUG) == []
    kinds = {track.kind for track in tracks.kept(db, film.id)}
    assert TrackKind.TEXT not in kinds
