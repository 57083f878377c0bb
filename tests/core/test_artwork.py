"""Artwork: what is kept of a picture, who sees it, and what is refused."""

import io
from pathlib import Path

import pytest
from PIL import Image

from appliance.catalog import artwork, titles
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Role
from appliance.storage import Storage
from tests.builders import Builders


def _picture(
    folder: Path, width: int, height: int, name: str = "a.png", mode: str = "RGB"
) -> Path:
    path = folder / name
    Image.effect_noise((width, height), 40).convert(mode).save(path)
    return path


@pytest.mark.parametrize(
    ("kind", "size", "files"),
    [
        ("poster", (1280, 720), ["320x480", "480x720"]),
        ("poster", (1300, 1950), ["320x480", "640x960", "1280x1920"]),
        ("backdrop", (1280, 720), ["320x180", "640x360", "1280x720"]),
        (
            "backdrop",
            (2400, 1800),
            ["320x180", "640x360", "1280x720", "1920x1080"],
        ),
        ("candidate", (200, 100), ["178x100"]),
        ("poster", (7, 1000), ["7x10"]),
    ],
)
def test_a_picture_is_cut_and_kept_in_widths_it_fills(
    db: Database,
    storage: Storage,
    make: Builders,
    tmp_path: Path,
    kind: str,
    size: tuple[int, int],
    files: list[str],
) -> None:
    title = make.title()

    added = artwork.add(
        db,
        storage,
        SYSTEM,
        title.id,
        kind,
        _picture(tmp_path, *size),
        origin="upload",
    )

    kept = sorted(storage.path(added.path).iterdir(), key=lambda each: int(each.stem))
    found = []
    for each in kept:
        with Image.open(each) as image:
            assert image.format == "JPEG"
            assert image.width == int(each.stem)
            found.append(f"{image.width}x{image.height}")
    assert found == files
    assert f"{added.width}x{added.height}" == files[-1]


def test_a_new_poster_takes_the_place_of_the_old_one(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    image = _picture(tmp_path, 400, 600)
    old = artwork.add(db, storage, SYSTEM, title.id, "poster", image, origin="frame")

    new = artwork.add(db, storage, SYSTEM, title.id, "poster", image, origin="upload")

    assert titles.by_id(db, title.id).poster == new.public_id
    assert not storage.path(old.path).exists()
    assert db.value("select count(*) from artwork") == 1
    changes = [each for each in since(db) if each.name == Event.ARTWORK_CHANGE]
    assert [each.data["origin"] for each in changes] == ["frame", "upload"]


def test_a_candidate_can_be_chosen_again_and_again(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    frame = artwork.add(
        db,
        storage,
        SYSTEM,
        title.id,
        "candidate",
        _picture(tmp_path, 1280, 720),
        origin="frame",
        seconds=42.5,
    )

    poster = artwork.choose(db, storage, SYSTEM, "poster", frame.public_id)
    backdrop = artwork.choose(db, storage, SYSTEM, "backdrop", frame.public_id)

    shown = titles.by_id(db, title.id)
    assert (shown.poster, shown.backdrop) == (poster.public_id, backdrop.public_id)
    assert (poster.seconds, poster.width, poster.height) == (42.5, 480, 720)
    assert artwork.candidates(db, title.id) == [frame]
    artwork.drop_candidates(db, storage, SYSTEM, title.id)
    assert artwork.candidates(db, title.id) == []
    assert not storage.path(frame.path).exists()


def test_a_page_gets_the_width_it_asks_for_or_the_next_one(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    image = _picture(tmp_path, 1280, 720)
    added = artwork.add(
        db, storage, SYSTEM, title.id, "backdrop", image, origin="frame"
    )
    viewer = make.actor(Role.VIEWER)

    widths = [
        artwork.file(db, storage, viewer, added.public_id, asked).name
        for asked in (100, 320, 321, 1280, 5000)
    ]

    assert widths == ["320.jpg", "320.jpg", "640.jpg", "1280.jpg", "1280.jpg"]


def test_the_artwork_of_a_hidden_title_is_hidden(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title(state="ready")
    image = _picture(tmp_path, 400, 600)
    added = artwork.add(db, storage, SYSTEM, title.id, "poster", image, origin="frame")

    with pytest.raises(NotFound):
        artwork.file(db, storage, make.actor(Role.VIEWER), added.public_id, 320)
    with pytest.raises(Forbidden):
        artwork.add(
            db,
            storage,
            make.actor(Role.VIEWER),
            title.id,
            "poster",
            image,
            origin="upload",
        )


def test_what_is_no_picture_is_refused_and_leaves_nothing(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    whole = _picture(tmp_path, 600, 400, "whole.jpg").read_bytes()
    cut_off = tmp_path / "cut.jpg"
    cut_off.write_bytes(whole[: len(whole) // 2])
    empty = tmp_path / "empty.png"
    empty.touch()
    vector = tmp_path / "x.gif"
    Image.new("RGB", (10, 10)).save(vector)

    for bad in (text, cut_off, empty, vector):
        with pytest.raises(InvalidInput, match="JPEG, PNG or WebP"):
            artwork.add(db, storage, SYSTEM, title.id, "poster", bad, origin="upload")

    assert db.value("select count(*) from artwork") == 0
    assert not list(storage.root.rglob("*.jpg"))


def test_a_picture_that_unpacks_to_gigabytes_is_refused(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (9000, 9000)).save(bomb)

    with pytest.raises(InvalidInput):
        artwork.add(
            db, storage, SYSTEM, make.title().id, "poster", bomb, origin="upload"
        )


def test_a_photograph_is_turned_upright_and_holds_no_metadata(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    upright = Image.new("RGB", (400, 600), "blue")
    upright.paste("red", (0, 0, 400, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    exif[0x010E] = "secret place"
    photograph = tmp_path / "phone.jpg"
    upright.rotate(90, expand=True).save(photograph, exif=exif)

    added = artwork.add(
        db, storage, SYSTEM, make.title().id, "poster", photograph, origin="upload"
    )

    data = storage.path(f"{added.path}/{added.width}.jpg").read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (400, 600)
        assert image.getpixel((200, 50))[0] > 200  # type: ignore[index]
    assert b"secret place" not in data


def test_transparency_and_few_colours_are_taken(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    for mode in ("RGBA", "P", "L", "1", "LA"):
        image = _picture(tmp_path, 300, 450, f"{mode}.png", mode)
        added = artwork.add(
            db, storage, SYSTEM, make.title().id, "poster", image, origin="upload"
        )
        assert added.width == 300
