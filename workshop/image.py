"""Make a bootable disk image of a release: ``make image``.

The bundle is installed on a bare Debian in a box of the lab, by the roles that install
any machine; a kernel is added, and all that belongs to one machine is taken out
(``images/strip.sh``). What the lab lends its boxes, the settings of apt and authorities
of this machine, lies in a layer of its own and never gets into an image.
"""

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.host import lab
from tests.host.lab import Box, Network, trees
from tests.host.lab.places import FIRST_UID, UIDS
from tests.host.lab.places import ROOT as LAB
from tests.host.lab.programs import CLEAN, run

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "images"
_BUNDLES = "/srv/bundles"
_ANSIBLE = "/opt/matinee/ansible"
_MEBIBYTES = 6144
_NEW_USERS = 0x10000000
# Nothing of an address is kept: the first boot asks for one.
_ANSWERS = {
    "matinee_public_url": "https://matinee.invalid",
    "matinee_small_machine": True,
}


@dataclass(frozen=True, slots=True)
class Image:
    """What was made: the disk as it is, and packed for virtual machines."""

    raw: Path
    qcow2: Path

    @property
    def sizes(self) -> str:
        held = self.raw.stat().st_blocks * 512 // 10**6
        packed = self.qcow2.stat().st_size // 10**6
        return f"{held} MB in {self.raw.name}, {packed} MB in {self.qcow2.name}"


def build(bundle: Path, folder: Path, mebibytes: int = _MEBIBYTES) -> Image:
    """Make the image of a bundle in a folder."""
    with Network() as net:
        net.open()
        layers = installed(net, bundle)
        with tree(layers) as found:
            return disk(found, folder, bundle.name.split("-debian")[0], mebibytes)


def installed(net: Network, bundle: Path) -> list[Path]:
    """Install a bundle in a box, with a kernel; return the layers of its disk."""
    box = net.add("matinee", lab.debian(), [f"{bundle.parent}:{_BUNDLES}"]).start()
    box.write("/root/answers.yml", json.dumps(_ANSWERS), 0o600)
    box.run(f"tar -x --no-same-owner -f {_BUNDLES}/{bundle.name} -C /root")
    folder = f"/root/{bundle.name.split('-debian')[0]}"
    command = f"{folder}/install.sh --answers /root/answers.yml --yes"
    box.run(command, seconds=1800)
    _add_ansible(box, folder)
    box.run("bash", "-s", words=(IMAGES / "kernel.sh").read_text(), seconds=1800)
    return net.layers_of(box)


def _add_ansible(box: Box, folder: str) -> None:
    """Keep the installer's Ansible, for the first boot."""
    box.run(
        f"umask 022; python3 -m venv --without-pip {_ANSIBLE} && pip=$(echo"
        f" {folder}/wheelhouse/pip-*.whl) && {_ANSIBLE}/bin/python $pip/pip install"
        f" --quiet --no-index --no-cache-dir --disable-pip-version-check --find-links"
        f" {folder}/wheelhouse ansible-core"
        " && cp -n " + folder + "/release.pub $(readlink -f /opt/matinee/current)/"
    )


@contextmanager
def tree(layers: Sequence[Path]) -> Iterator[Path]:
    """Yield the tree of the image, as the users of the boxes own it.

    ``layers`` are what was installed, what the lab lent, and the bare Debian.
    """
    *written, _lent, bare = layers
    lower = ":".join(map(str, (*written, bare)))
    work = _reachable()
    for name in ("upper", "work", "tree"):
        (work / name).mkdir()
    os.chown(work / "upper", FIRST_UID, FIRST_UID)
    merged = work / "tree"
    options = f"lowerdir={lower},upperdir={work}/upper,workdir={work}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, merged)
    try:
        run(IMAGES / "strip.sh", merged)
        shutil.copytree(IMAGES / "files", merged, dirs_exist_ok=True)
        # What the lab's authorities left in the bundle of all.
        run("chroot", merged, "update-ca-certificates", "--fresh", env=CLEAN)
        for unit in ("appliance-first-boot", "appliance-host-keys"):
            run("systemctl", f"--root={merged}", "enable", f"{unit}.service")
        trees.shift(work / "upper")
        yield merged
    finally:
        run("umount", merged)
        shutil.rmtree(work, ignore_errors=True)


def disk(found: Path, folder: Path, name: str, mebibytes: int) -> Image:
    """Make both forms of the disk out of a tree."""
    image = Image(folder / f"{name}.raw", folder / f"{name}.qcow2")
    folder.mkdir(parents=True, exist_ok=True)
    place = _reachable()
    try:
        os.chown(place, FIRST_UID, FIRST_UID)
        made = place / "disk.raw"
        command: list[str | Path] = [IMAGES / "mkdisk.sh", found, made, str(mebibytes)]
        _as_box(command, {**CLEAN, "TMPDIR": str(place)})
        run("cp", "--sparse=always", made, image.raw)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    run("qemu-img", "convert", "-c", "-O", "qcow2", image.raw, image.qcow2)
    return image


def _reachable() -> Path:
    """Make a folder where whoever owns the files in boxes gets too."""
    LAB.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="image-", dir=LAB))
    work.chmod(0o755)
    return work


def _as_box(command: Sequence[str | Path], environ: dict[str, str]) -> None:
    """Run a program to which the files of boxes belong to whom they belong there."""
    here, told = os.pipe()
    waited, go = os.pipe()

    def enter() -> None:
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(_NEW_USERS):
            raise OSError(ctypes.get_errno(), "no user namespace")
        os.write(told, f"{os.getpid()}\n".encode())
        os.read(waited, 1)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)

    def map_users() -> None:
        process = int(os.read(here, 32))
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process}/{name}").write_text(f"0 {FIRST_UID} {UIDS}\n")
        os.write(go, b"x")

    mapper = threading.Thread(target=map_users)
    mapper.start()
    done = subprocess.run(
        [str(each) for each in command],
        preexec_fn=enter,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    mapper.join()
    for each in (here, told, waited, go):
        os.close(each)
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="else the newest of dist/")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--mebibytes", type=int, default=_MEBIBYTES)
    wish = parser.parse_args()
    if reason := lab.missing():
        sys.exit(f"No image can be made here: {reason}.")
    bundles = sorted((ROOT / "dist").glob("*.bundle"), key=os.path.getmtime)
    bundle = wish.bundle or (bundles[-1] if bundles else None)
    if bundle is None:
        sys.exit("There is no bundle in dist/: say make release first.")
    began = time.monotonic()
    made = build(bundle.resolve(), wish.out.resolve(), wish.mebibytes)
    print(f"{made.sizes}; made in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
