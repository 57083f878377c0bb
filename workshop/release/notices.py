"""What of others a release holds: for ``licences.txt`` and the SBOM."""

import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from appliance.operations import licences
from appliance.operations.licences import Kind, Part
from workshop.release.wheelhouse import Part as Wheel

_LICENCES = LicenseFactory()
_TYPES = {
    Kind.PYTHON: "pypi",
    Kind.BROWSER: "npm",
    Kind.DEBIAN: "deb",
    Kind.PROGRAM: "generic",
}


def of_wheels(wheels: Iterable[Path], browser: Path) -> tuple[Part, ...]:
    """Return what is in the wheels, in the browser parts, and what Debian gives."""
    with tempfile.TemporaryDirectory() as folder:
        for wheel in wheels:
            _metadata_only(wheel, Path(folder))
        found = list(licences.python_parts(metadata.distributions(path=[folder])))
    return licences.in_order((*found, *licences.browser_parts(browser)))


def _metadata_only(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.split("/")[0].endswith(".dist-info"):
                archive.extract(name, target)


def bill(
    version: str, parts: Sequence[Part], wheels: Iterable[Wheel], epoch: int
) -> str:
    """Write the bill of materials, as CycloneDX wants it; the same text each time."""
    sums = {each.name: each.sha256 for each in wheels}
    ours = Component(
        name="matinee",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=f"matinee@{version}",
    )
    moment = datetime.fromtimestamp(epoch, UTC)
    bom = Bom(
        components=[_component(part, sums.get(part.name)) for part in parts],
        metadata=BomMetaData(component=ours, timestamp=moment),
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"matinee:{version}:{epoch}"),
    )
    bom.register_dependency(ours, bom.components)
    return str(JsonV1Dot6(bom).output_as_string(indent=1))


def _component(part: Part, sha256: str | None) -> Component:
    namespace = "debian" if part.kind is Kind.DEBIAN else None
    name = part.name
    if part.kind is Kind.BROWSER and "/" in name:
        namespace, name = name.split("/", 1)
    package = PackageURL(_TYPES[part.kind], namespace, name, part.version or None)
    return Component(
        name=part.name,
        version=part.version or None,
        type=(
            ComponentType.APPLICATION
            if part.kind is Kind.PROGRAM
            else ComponentType.LIBRARY
        ),
        bom_ref=str(package),
        purl=package,
        licenses=[_LICENCES.make_from_string(part.licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        properties=[Property(name="matinee:note", value=part.note)]
        if part.note
        else [],
    )
