"""Artwork: what is kept of a picture, who sees it, and what is refused."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from appliance.catalog import artwork, titles
from appliance.catalog.pictures import Format
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

    files_kept = storage.path(added.path).glob("[0-9]*")
    kept = sorted(files_kept, key=lambda each: int(each.stem))
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


def _colour(path: Path, place: tuple[int, int]) -> tuple[int, ...]:
    with Image.open(path) as image:
        return image.convert("RGB").getpixel(place)  # type: ignore[return-value]


def test_a_picture_is_cut_around_what_must_be_seen(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    wide = Image.new("RGB", (1600, 900), "blue")
    wide.paste("red", (0, 0, 600, 900))
    wide.save(tmp_path / "wide.png")
    place = ("poster", tmp_path / "wide.png")

    left = artwork.add(
        db, storage, SYSTEM, title.id, *place, origin="upload", focus=(0.1, 0.5)
    )
    red = _colour(storage.path(f"{left.path}/320.jpg"), (310, 240))
    right = artwork.refocus(db, storage, SYSTEM, left.public_id, (0.9, 0.5))
    blue = _colour(storage.path(f"{right.path}/320.jpg"), (10, 240))
    avif = artwork.file(db, storage, SYSTEM, right.public_id, 320, Format.AVIF)

    assert red[0] > 200
    assert blue[2] > 200
    assert _colour(avif, (10, 240))[2] > 200
    assert right.public_id != left.public_id
    assert not storage.path(left.path).exists()
    for wrong in ((-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5)):
        with pytest.raises(InvalidInput):
            artwork.refocus(db, storage, SYSTEM, right.public_id, wrong)


def test_a_format_is_made_once_and_smaller_than_the_picture_as_kept(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    image = _picture(tmp_path, 1280, 720)
    added = artwork.add(
        db, storage, SYSTEM, title.id, "candidate", image, origin="frame"
    )

    first = artwork.file(db, storage, SYSTEM, added.public_id, 640, Format.WEBP)
    made = first.stat().st_mtime_ns
    again = artwork.file(db, storage, SYSTEM, added.public_id, 500, Format.WEBP)
    plain = artwork.file(db, storage, SYSTEM, added.public_id, 640)

    assert (again, again.stat().st_mtime_ns) == (first, made)
    assert first.stat().st_size < plain.stat().st_size


def test_a_logo_keeps_its_sides_and_what_shows_through(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    logo = Image.new("RGBA", (1000, 1000))
    ImageDraw.Draw(logo).ellipse((100, 400, 899, 599), "white")
    logo.save(tmp_path / "logo.webp", lossless=True)

    kept = artwork.add(
        *(db, storage, SYSTEM, title.id, "logo", tmp_path / "logo.webp"),
        origin="upload",
    )

    assert titles.by_id(db, title.id).logo == kept.public_id
    assert (kept.width, kept.height) == (800, 200)
    for format_ in (None, Format.AVIF, Format.WEBP):
        path = artwork.file(db, storage, SYSTEM, kept.public_id, 320, format_)
        with Image.open(path) as image:
            assert image.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    flat = artwork.file(db, storage, SYSTEM, kept.public_id, 320, Format.JPEG)
    assert sum(_colour(flat, (0, 0))) < 30
    artwork.remove(db, storage, SYSTEM, kept.public_id)
    assert titles.by_id(db, title.id).logo is None
    assert not storage.path(kept.path).exists()


def test_a_season_has_a_poster_of_its_own(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    whole = titles.create(db, SYSTEM, "Dark Water", kind="series")
    image = _picture(tmp_path, 600, 900)
    place = (db, storage, SYSTEM, whole.id, "season", image)

    first = artwork.add(*place, origin="upload", season=1)
    second = artwork.add(*place, origin="upload", season=2)
    newer = artwork.add(*place, origin="upload", season=1)

    shown = {
        row["number"]: row["poster"]
        for row in db.rows("select number, poster from seasons")
    }
    assert shown == {1: newer.public_id, 2: second.public_id}
    assert not storage.path(first.path).exists()
    artwork.remove(db, storage, SYSTEM, second.public_id)
    assert db.value("select poster from seasons where number = 2") is None


def test_colours_for_print_and_of_large_cameras_become_those_of_a_screen(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    Image.new("CMYK", (600, 900), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    Image.new("RGB", (6000, 4000), "red").save(tmp_path / "large.jpg", quality=30)
    broken = Image.new("RGB", (600, 900), "red")
    broken.save(tmp_path / "profile.png", icc_profile=b"no profile")

    for name in ("print.jpg", "large.jpg", "profile.png"):
        kept = artwork.add(
            *(db, storage, SYSTEM, title.id, "poster", tmp_path / name),
            origin="upload",
        )
        red, green, blue = _colour(storage.path(f"{kept.path}/320.jpg"), (160, 240))
        assert red > 180
        assert max(green, blue) < 90
        with Image.open(artwork.source(storage, kept)) as original:
            assert max(original.size) <= 3840


def test_nothing_that_hides_in_a_picture_reaches_a_browser(
    db: Database, storage: Storage, make: Builders, tmp_path: Path
) -> None:
    title = make.title()
    path = _picture(tmp_path, 600, 900, "polyglot.jpg")
    secret = b"<script>alert(1)</script>"
    path.write_bytes(path.read_bytes() + secret)
    commented = PngImagePlugin.PngInfo()
    commented.add_text("Comment", secret.decode())
    Image.new("RGB", (600, 900)).save(tmp_path / "comment.png", pnginfo=commented)

    for name in ("polyglot.jpg", "comment.png"):
        kept = artwork.add(
            *(db, storage, SYSTEM, title.id, "poster", tmp_path / name),
            origin="upload",
        )
        for format_ in (None, *Format):
            artwork.file(db, storage, SYSTEM, kept.public_id, 320, format_)
        for file in storage.path(kept.path).iterdir():
            assert secret not in file.read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xff\xd8\xff\xe0<?php echo 1;",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\0" * 40,
        b"%PDF-1.4",
        b"",
    ],
)
def test_what_only_begins_like_a_picture_is_refused(
    db: Database, storage: Storage, make: Builders, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(content)
    for kind in ("poster", "logo"):
        with pytest.raises(InvalidInput, match="JPEG, PNG or WebP"):
            artwork.add(
                *(db, storage, SYSTEM, make.title().id, kind, path), origin="upload"
            )
    assert not list(storage.root.rglob("original.*"))
