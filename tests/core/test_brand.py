"""The brand of an installation: colours that can be read, texts, logo."""

from pathlib import Path

import pytest
from PIL import Image

from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, latest
from appliance.operations import brand, colours
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

SURFACES = ("#0b0d11", "#2a303a"), ("#f6f7f9", "#e1e5eb")


def test_contrast_is_that_of_the_guidelines() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colours.contrast("#3d5afe", "#3d5afe") == 1


@pytest.mark.parametrize("colour", ["#3d5afe", "#c00010", "#0b6b2f", "#000000"])
def test_every_shade_of_a_brand_can_be_read_where_it_is_used(colour: str) -> None:
    for palette, surfaces in zip(colours.palettes(colour), SURFACES, strict=True):
        assert colours.contrast(palette.solid, "#ffffff") >= 4.5
        assert colours.contrast(palette.hover, "#ffffff") >= 4.5
        for surface in surfaces:
            assert colours.contrast(palette.accent, surface) >= 4.5
            assert colours.contrast(palette.progress, surface) >= 3


@pytest.mark.parametrize("colour", ["#ffcc00", "#00ff00", "#ffffff"])
def test_a_colour_that_white_text_drowns_in_is_refused_with_one_that_will_do(
    db: Database, settings: Settings, colour: str
) -> None:
    nearest = colours.nearest_readable(colour)

    with pytest.raises(InvalidInput, match=nearest):
        brand.change(db, settings, SYSTEM, colour=colour)

    assert brand.change(db, settings, SYSTEM, colour=nearest).colour == nearest


@pytest.mark.parametrize("colour", ["red", "#12345", "#1234567", "#12345g", "url(x)"])
def test_what_is_no_colour_is_refused(
    db: Database, settings: Settings, colour: str
) -> None:
    with pytest.raises(InvalidInput, match="#rrggbb"):
        brand.change(db, settings, SYSTEM, colour=colour)


def test_a_brand_is_that_of_the_settings_until_it_is_changed(
    db: Database, settings: Settings
) -> None:
    assert brand.read(db, settings).name == settings.portal.name
    assert brand.style(brand.read(db, settings)) == ""

    brand.change(db, settings, SYSTEM, name="  Acme\n Academy ", colour="#0B63B6")

    found = brand.read(db, settings)
    assert (found.name, found.colour) == ("Acme Academy", "#0b63b6")
    assert "--accent-solid: #0b63b6" in brand.style(found)
    assert latest(db, 1)[0].name == Event.BRAND_CHANGE
    assert brand.change(db, settings, SYSTEM, name="").name == settings.portal.name


def test_texts_are_kept_by_language_and_fall_back(
    db: Database, settings: Settings
) -> None:
    brand.change(db, settings, SYSTEM, texts={"imprint": {"de": "Acme GmbH"}})
    found = brand.change(
        db, settings, SYSTEM, texts={"imprint": {"en": "Acme Ltd\r\n"}}
    )

    assert found.text("imprint", "en") == "Acme Ltd"
    assert found.text("imprint", "de") == found.text("imprint", "fr") == "Acme GmbH"
    assert found.text("privacy", "en") == ""
    gone = brand.change(db, settings, SYSTEM, texts={"imprint": {"de": " "}})
    assert gone.text("imprint", "de") == "Acme Ltd"


@pytest.mark.parametrize(
    "texts",
    [
        {"terms": {"en": "x"}},
        {"imprint": {"../en": "x"}},
        {"welcome": {"en": "x" * 501}},
    ],
)
def test_texts_that_nobody_knows_or_that_are_too_long_are_refused(
    db: Database, settings: Settings, texts: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(InvalidInput):
        brand.change(db, settings, SYSTEM, texts=texts)


def test_a_change_that_somebody_overtook_is_refused(
    db: Database, settings: Settings
) -> None:
    seen = brand.read(db, settings).revision
    brand.change(db, settings, SYSTEM, name="First", revision=seen)

    with pytest.raises(Conflict, match="while you were at it"):
        brand.change(db, settings, SYSTEM, name="Second", revision=seen)

    assert brand.read(db, settings).name == "First"


def test_only_who_may_changes_it(
    db: Database, settings: Settings, make: Builders
) -> None:
    with pytest.raises(Forbidden):
        brand.change(db, settings, make.actor(Role.PUBLISHER), name="Mine")


def test_a_logo_is_written_anew_and_keeps_what_shows_through(
    db: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    image = tmp_path / "logo.png"
    Image.new("RGBA", (2000, 500), (200, 30, 30, 120)).save(image)

    found = brand.set_logo(db, storage, settings, SYSTEM, image)

    with Image.open(brand.logo_file(storage, found.logo)) as kept:
        assert kept.size == (640, 160)
        assert kept.mode == "RGBA"
    assert brand.set_logo(db, storage, settings, SYSTEM, None).logo == ""


def test_a_logo_that_is_no_picture_is_refused(
    db: Database, settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    image = tmp_path / "logo.png"
    image.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")

    with pytest.raises(InvalidInput):
        brand.set_logo(db, storage, settings, SYSTEM, image)

    assert brand.read(db, settings).logo == ""
    with pytest.raises(NotFound):
        brand.logo_file(storage, "../keys/web")
