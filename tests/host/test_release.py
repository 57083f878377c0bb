"""Bundles: built from the tree, signed, and refused when anything about them is off."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from appliance import migrations
from appliance.errors import InvalidInput, MatineeError, NotFound, StorageFull
from appliance.operations import licences, releases
from appliance.operations.bundle_proof import Key, read_key
from tests.conftest import Matinee
from workshop.release import (
    archive,
    bundle,
    debian,
    signing,
    staging,
    wheelhouse,
)
from workshop.release.bundle import Wish

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="minisign signs releases"
)


_WANTED = (
    *("install.sh", "verify/__main__.py", "release.pub", "release.json"),
    *("requirements.txt", "requirements-ansible.txt", "ansible/site.yml"),
    *("systemd/matinee-web.service", "docs/README.md", "docs/COMMANDS.md"),
    *("licences.txt", "sbom.cdx.json"),
)


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that nobody works in."""
    folder = tmp_path_factory.mktemp("checkout")
    staging.stage(ROOT, folder)
    for words in (["init"], ["add", "--all"], [*_AS_SOMEBODY, "commit", "--message=x"]):
        command = ["git", *words]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def real(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of this tree, without captions by machine."""
    return bundle.build(_wish(frozen, tmp_path_factory.mktemp("release")))


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    """A key to sign with, and its public half."""
    secret, public = signing.key_pair(tmp_path_factory.mktemp("key") / "matinee.key")
    return secret, read_key(public.read_text())


Small = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path, pair: tuple[Path, Key]) -> Small:
    """``small(change) -> Path``: a signed bundle of three files, changed afterwards."""

    def make(change: Callable[[Path], None] = lambda _folder: None) -> Path:
        folder = tmp_path / "matinee-1.2.3"
        (folder / "ansible").mkdir(parents=True)
        (folder / "install.sh").write_text("#!/bin/bash\n")
        (folder / "install.sh").chmod(0o755)
        (folder / "ansible" / "site.yml").write_text("---\n" * 1000)
        (folder / "release.json").write_text('{"version": "1.2.3"}')
        archive.seal(folder, "1.2.3", pair[0])
        change(folder)
        target = tmp_path / "matinee-1.2.3.bundle"
        archive.pack(folder, target, 1_700_000_000)
        return target

    return make


def test_a_release_holds_everything_an_installation_needs(real: Path) -> None:
    names = _names(real)

    assert real.name.endswith("-debian12-amd64.bundle")
    assert set(_WANTED) - set(names) == set()
    assert names[:2] == ["MANIFEST", "MANIFEST.minisig"]
    facts = json.loads(_text(real, "release.json"))
    assert facts["schema"] == migrations.names()


def test_its_wheels_are_those_that_the_requirements_name_by_their_sums(
    real: Path,
) -> None:
    with tarfile.open(real) as whole:
        sums = {
            hashlib.sha256(file.read()).hexdigest()
            for member in whole
            if "/wheelhouse/" in member.name and (file := whole.extractfile(member))
        }
    for name in ("requirements.txt", "requirements-ansible.txt"):
        lines = _text(real, name).splitlines()
        assert {line.split("sha256:")[1] for line in lines} <= sums
        assert len(lines) > 5
    assert "ansible-core==" in _text(real, "requirements-ansible.txt")
    assert "gunicorn==" in _text(real, "requirements.txt")


def test_our_wheel_holds_what_pages_load_and_no_test(real: Path) -> None:
    with tarfile.open(real) as whole:
        [name] = [each for each in whole.getnames() if "/wheelhouse/matinee-" in each]
        file = whole.extractfile(name)
        assert file is not None
        names = zipfile.ZipFile(io.BytesIO(file.read())).namelist()

    assert "web/static/vendor/shaka/shaka-player.ui.js" in names
    assert "web/translations/de/LC_MESSAGES/messages.mo" in names
    assert "nginx/templates/nginx.conf.j2" in " ".join(names)
    assert not [each for each in names if each.startswith(("tests/", "workshop/"))]


def test_every_part_of_others_is_in_the_bill_of_materials_and_the_notices(
    real: Path,
) -> None:
    bill = json.loads(_text(real, "sbom.cdx.json"))
    notices = _text(real, "licences.txt")

    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    )
    found = {each["name"]: each for each in bill["components"]}
    for name in ("flask", "shaka-player", "ffmpeg", "Shaka Packager", "ansible-core"):
        assert name in found
        assert f"\n{name}" in notices or notices.startswith(name)
    assert found["flask"]["hashes"][0]["alg"] == "SHA-256"
    assert [each["name"] for each in found.values() if not each["licenses"]] == []


def test_every_package_of_debian_that_is_installed_is_in_the_notices() -> None:
    named = {part.name for part in licences.DEBIAN}

    assert set(debian.wanted(ROOT)) - named == set()
    assert {"ffmpeg", "nginx-light"} <= set(debian.wanted(ROOT))


@pytest.mark.host
def test_packages_come_with_all_they_need_also_when_they_were_fetched_before(
    tmp_path: Path,
) -> None:
    for target in ("first", "second"):
        debian.fetch(["logrotate"], tmp_path / target, tmp_path / "cache")

    first, second = (
        sorted(each.name for each in (tmp_path / name).iterdir())
        for name in ("first", "second")
    )
    assert first == second
    assert {"Packages", "Packages.gz"} <= set(first)
    assert {"logrotate", "libc6"} <= {name.split("_")[0] for name in first}


def test_the_same_tree_gives_the_same_bundle(
    frozen: Path, real: Path, tmp_path: Path
) -> None:
    again = bundle.build(_wish(frozen, tmp_path, real.parent / "matinee.key"))

    ours, theirs = (_text(each, "MANIFEST") for each in (real, again))
    assert ours == theirs


def test_no_host_of_a_registry_gets_into_the_locks() -> None:
    for name in wheelhouse.SETS:
        text = (wheelhouse.HERE / f"{name}.lock").read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_a_virgin_debian_checks_it_with_what_it_has(real: Path, tmp_path: Path) -> None:
    with tarfile.open(real) as whole:
        whole.extractall(tmp_path, filter="data")
    folder = tmp_path / real.name.split("-debian")[0]
    key = (folder / "release.pub").read_text().splitlines()[-1]

    done = _verify(folder, folder, "--key", key)
    by_minisign = subprocess.run(
        ["minisign", "-V", "-P", key, "-m", str(folder / "MANIFEST")], check=False
    )
    (folder / "ansible" / "site.yml").write_text("- hosts: all\n")
    altered = _verify(folder, folder)

    assert done.returncode == 0
    assert f"signed by {key}" in done.stdout
    assert by_minisign.returncode == 0
    assert altered.returncode == 1
    assert "not what was signed" in altered.stderr


def test_a_bundle_that_is_whole_is_unpacked(
    small: Small, pair: tuple[Path, Key], tmp_path: Path
) -> None:
    folder = releases.unpack(small(), tmp_path / "into", [pair[1]])

    assert folder.name == "matinee-1.2.3"
    assert os.access(folder / "install.sh", os.X_OK)
    assert releases.check(folder, [pair[1]]) == "1.2.3"
    assert [each.name for each in (tmp_path / "into").iterdir()] == [folder.name]


def _unsigned(folder: Path) -> None:
    (folder / "MANIFEST.minisig").write_text("")


def _garbled(folder: Path) -> None:
    path = folder / "MANIFEST.minisig"
    path.write_text(path.read_text().replace("trusted comment: ", "comment: "))


def _changed_sum(folder: Path) -> None:
    path = folder / "MANIFEST"
    path.write_text(path.read_text().replace("install.sh", "install.py"))


def _changed_comment(folder: Path) -> None:
    path = folder / "MANIFEST.minisig"
    path.write_text(path.read_text().replace("matinee 1.2.3", "matinee 9.9.9"))


def _altered(folder: Path) -> None:
    (folder / "install.sh").write_text("#!/bin/bash\nrm -rf /\n")


def _added(folder: Path) -> None:
    (folder / "ansible" / "more.yml").write_text("")


def _removed(folder: Path) -> None:
    (folder / "ansible" / "site.yml").unlink()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_unsigned, "release.signature"),
        (_garbled, "release.signature"),
        (_changed_sum, "release.forged"),
        (_changed_comment, "release.forged"),
        (_altered, "release.altered"),
        (_added, "release.added"),
        (_removed, "release.truncated"),
    ],
)
def test_what_was_tampered_with_is_refused_as_file_and_as_folder(
    small: Small,
    pair: tuple[Path, Key],
    tmp_path: Path,
    change: Callable[[Path], None],
    code: str,
) -> None:
    packed = small(change)

    for each in (packed, tmp_path / "matinee-1.2.3"):
        with pytest.raises(InvalidInput) as refused:
            releases.check(each, [pair[1]])
        assert refused.value.code == code
    with pytest.raises(InvalidInput):
        releases.unpack(packed, tmp_path / "into", [pair[1]])
    assert list((tmp_path / "into").iterdir()) == []


def test_a_bundle_without_a_signature_is_refused(
    small: Small, pair: tuple[Path, Key], tmp_path: Path
) -> None:
    small()
    (tmp_path / "matinee-1.2.3" / "MANIFEST.minisig").unlink()
    with pytest.raises(InvalidInput, match="not signed"):
        releases.check(tmp_path / "matinee-1.2.3", [pair[1]])

    packed = _tar(tmp_path, [("matinee-1.2.3/MANIFEST", b""), ("matinee-1.2.3/a", b"")])
    with pytest.raises(InvalidInput, match="not signed"):
        releases.check(packed, [pair[1]])


def test_a_bundle_of_another_key_is_refused(small: Small, tmp_path: Path) -> None:
    _, public = signing.key_pair(tmp_path / "other.key")

    with pytest.raises(InvalidInput, match="not trusted here"):
        releases.check(small(), [read_key(public.read_text())])


@pytest.mark.parametrize("part", [0.0, 0.2, 0.4, 0.6])
def test_a_bundle_that_was_cut_short_is_refused(
    small: Small, pair: tuple[Path, Key], part: float
) -> None:
    packed = small()
    os.truncate(packed, int(packed.stat().st_size * part))

    with pytest.raises(InvalidInput) as refused:
        releases.check(packed, [pair[1]])
    refusals = ("release.truncated", "release.unknown", "release.unsigned")
    assert refused.value.code in refusals


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "matinee-1.2.3/../../etc/passwd",
        "../matinee-1.2.3/x",
        "matinee-1.2.3//x",
        "matinee-1.2.3/a\nb",
        "other/x",
    ],
)
def test_a_file_that_would_land_elsewhere_is_refused(
    small: Small, pair: tuple[Path, Key], tmp_path: Path, name: str
) -> None:
    packed = small()
    with tarfile.open(packed, "a") as whole:
        whole.addfile(*_member(name, b"x"))

    with pytest.raises(InvalidInput) as refused:
        releases.unpack(packed, tmp_path / "into", [pair[1]])
    assert refused.value.code in ("release.unsafe", "release.added")
    assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_pipes_are_refused(
    small: Small, pair: tuple[Path, Key], kind: bytes
) -> None:
    packed = small()
    member = tarfile.TarInfo("matinee-1.2.3/link")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(packed, "a") as whole:
        whole.addfile(member)

    with pytest.raises(InvalidInput, match="no plain file"):
        releases.check(packed, [pair[1]])


def test_a_file_that_comes_twice_is_refused(
    small: Small, pair: tuple[Path, Key]
) -> None:
    packed = small()
    with tarfile.open(packed, "a") as whole:
        whole.addfile(*_member("matinee-1.2.3/install.sh", b"x"))

    with pytest.raises(InvalidInput, match="not signed"):
        releases.check(packed, [pair[1]])


@pytest.mark.parametrize("data", [b"", b"no tar at all", b"\0" * 20480])
def test_something_else_is_no_bundle(
    tmp_path: Path, pair: tuple[Path, Key], data: bytes
) -> None:
    path = tmp_path / "x.bundle"
    path.write_bytes(data)

    with pytest.raises(MatineeError) as refused:
        releases.check(path, [pair[1]])
    assert refused.value.code in ("release.truncated", "release.unknown")


def test_a_missing_bundle_and_a_key_that_is_none_are_named(
    tmp_path: Path, pair: tuple[Path, Key]
) -> None:
    with pytest.raises(NotFound):
        releases.check(tmp_path / "none", [pair[1]])
    with pytest.raises(InvalidInput, match="no public key"):
        releases.trusted(releases.Layout(tmp_path), "RWnonsense")


def test_a_bundle_is_verified_by_the_command(
    small: Small, pair: tuple[Path, Key], matinee: Matinee
) -> None:
    packed = small()

    found = matinee("release", "verify", str(packed), "--key", pair[1].text, "--json")
    os.truncate(packed, 2000)
    cut = matinee("release", "verify", str(packed), "--key", pair[1].text)

    assert json.loads(found.stdout)["version"] == "1.2.3"
    assert cut.exit_code == 2
    assert "Get it again" in cut.stderr


def test_there_must_be_room_to_unpack_it(small: Small, pair: tuple[Path, Key]) -> None:
    packed = small()
    with packed.open("ab") as file:
        file.truncate(1 << 42)

    with pytest.raises(StorageFull):
        releases.unpack(packed, packed.parent / "into", [pair[1]])


def test_a_tree_can_be_called_by_another_version(tmp_path: Path) -> None:
    (tmp_path / "appliance").mkdir()
    shutil.copy(ROOT / "appliance" / "__init__.py", tmp_path / "appliance")

    staging.call_it(tmp_path, "0.0.9")

    assert staging.version(tmp_path) == "0.0.9"


_AS_SOMEBODY = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


def _wish(checkout: Path, folder: Path, secret: Path | None = None) -> Wish:
    return Wish(
        checkout=checkout,
        out=folder,
        cache=ROOT / "var" / "release-cache",
        secret=secret or folder / "matinee.key",
        speech=False,
    )


def _verify(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-B", folder / "verify", *words]
    return subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, check=False
    )


def _names(path: Path) -> list[str]:
    with tarfile.open(path) as whole:
        return [each.partition("/")[2] for each in whole.getnames()]


def _text(path: Path, name: str) -> str:
    with tarfile.open(path) as whole:
        file = whole.extractfile(f"{path.name.split('-debian')[0]}/{name}")
        assert file is not None
        return file.read().decode()


def _member(name: str, data: bytes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, io.BytesIO(data)


def _tar(folder: Path, files: list[tuple[str, bytes]]) -> Path:
    path = folder / "made.bundle"
    with tarfile.open(path, "w") as whole:
        for name, data in files:
            whole.addfile(*_member(name, data))
    return path
