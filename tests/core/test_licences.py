"""What of others is in here: asked of the parts themselves."""

import json
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

from appliance.operations import licences
from appliance.operations.licences import Kind
from tests.conftest import Matinee

ROOT = Path(__file__).resolve().parents[2]


def test_every_part_has_a_licence_and_ours_is_not_among_them() -> None:
    found = licences.listing(ROOT / "web" / "static" / "vendor")

    kinds = {part.kind for part in found}
    assert kinds == set(Kind)
    assert "matinee" not in {part.name for part in found}
    assert [part.name for part in found if not part.licence] == []


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License-Expression": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT License"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "Copyright\nPermission is granted"}, "see its text"),
        ({}, "see its text"),
    ],
)
def test_a_package_names_its_licence_in_one_of_many_ways(
    tmp_path: Path, said: dict[str, str], licence: str
) -> None:
    folder = tmp_path / "some_part-1.0.dist-info"
    folder.mkdir()
    told = Message()
    for name, value in {"Name": "Some_Part", "Version": "1.0", **said}.items():
        told[name] = value.replace("\n", "\n        ")
    (folder / "METADATA").write_text(told.as_string())

    [part] = licences.python_parts(metadata.distributions(path=[str(tmp_path)]))

    assert (part.name, part.version, part.licence) == ("some-part", "1.0", licence)


def test_the_command_lists_them_and_gives_the_whole_text(matinee: Matinee) -> None:
    listed = json.loads(matinee("licences", "--json").stdout)
    whole = matinee("licences", "--full").stdout

    assert {"flask", "tus-js-client"} <= {each["name"] for each in listed}
    assert "Permission is hereby granted, free of charge" in whole
    assert "/usr/share/doc/ffmpeg/copyright" in whole
