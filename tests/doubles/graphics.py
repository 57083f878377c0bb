"""An ffmpeg with a graphics processor, as a program: for machines that have none.

It stands first on the PATH. What has nothing to do with a graphics processor it hands
to the real ffmpeg as it is. What has, it hands over as what a processor can do in its
stead: the same graph with the same frames, so that their counts and times are real. On
demand it fails or hangs in the middle of it, as drivers do.
"""

import os
import stat
import sys
from pathlib import Path

_PROGRAM = """#!{python}
{source}
"""
_SOURCE = r"""
import os, pathlib, re, signal, subprocess, sys, time

REAL = {real!r}
HERE = pathlib.Path({folder!r})
HARDWARE = re.compile(r"(h264|hevc|av1)_(vaapi|qsv|nvenc)$")
WITH_A_VALUE = {{
    "-init_hw_device", "-filter_hw_device", "-hwaccel", "-hwaccel_device",
    "-hwaccel_output_format", "-extra_hw_frames", "-rc_mode", "-low_power",
    "-idr_interval", "-forced_idr", "-look_ahead", "-adaptive_i", "-tune", "-rc",
    "-no-scenecut", "-spatial-aq", "-forced-idr", "-preset", "-profile:v", "-b:v",
}}
AS_QUALITY = {{"-global_quality", "-cq", "-qp"}}
GRAPH = [
    (r"format=(pix_fmts=)?nv12\|p010le\|(vaapi|cuda)", "format=yuv420p|yuv420p10le"),
    (r"format=(pix_fmts=)?qsv", "null"),
    (r"format=(pix_fmts=)?p010le", "format=yuv420p10le"),
    (r"hw(upload|download|map)(_cuda)?(=[^\[,;]*)?", "null"),
    (r"scale_vaapi=format=nv12:h=(\d+):mode=hq:out_range=tv:w=(\d+)",
     r"scale=h=\1:w=\2:out_range=tv,format=yuv420p"),
    (r"scale_(qsv|cuda)=format=nv12:h=(\d+)(:interp_algo=bicubic)?:w=(\d+)",
     r"scale=h=\2:w=\4,format=yuv420p"),
    (r"(deinterlace_vaapi|vpp_qsv|[a-z]+_cuda)=[^\[,;]*(rate|advanced|parity)[^\[,;]*",
     "bwdif=mode=send_frame"),
    (r"(tonemap_vaapi|tonemap_opencl|vpp_qsv)=[^\[,;]*",
     "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,"
     "tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"),
]
ENCODERS = {{"h264": "libx264", "hevc": "libx265"}}


def main():
    args = sys.argv[1:]
    encoders = {{found for arg in args if (found := HARDWARE.match(arg))}}
    if not encoders:
        hidden = (HERE / "hidden").read_text().split()
        if args[-1].removeprefix("filter=") in hidden:
            return 0
        if "-init_hw_device" in args:
            print("VAAPI driver: Driver of the test 1.0.", file=sys.stderr)
            return 0
        os.execv(REAL, [REAL, *args])
    with (HERE / "used").open("a") as used:
        print(*sorted(each[0] for each in encoders), file=used)
    mood = (HERE / "mood").read_text().strip()
    if mood == "refuses":
        print("[AVHWDeviceContext @ 0x55] [error] No VA display found for the device.",
              file=sys.stderr)
        print("Device creation failed: -22.", file=sys.stderr)
        return 1
    quality_only = mood == "quality"
    if quality_only and "QVBR" in args:
        print("Driver does not support QVBR RC mode.", file=sys.stderr)
        return 1
    child = subprocess.Popen([REAL, *translated(args)])
    if mood in ("works", "quality"):
        return child.wait()
    time.sleep(0.3)
    child.kill()
    child.wait()
    if mood == "hangs":
        signal.pause()
    print("[h264_vaapi @ 0x55] [error] Failed to end picture encode issue: 24.",
          file=sys.stderr)
    return 1


def translated(args):
    words, made = iter(args), []
    for word in words:
        if word in WITH_A_VALUE:
            next(words)
        elif word in AS_QUALITY:
            made += ["-crf", next(words)]
        elif word == "-filter_complex":
            made += [word, graph(next(words))]
        elif found := HARDWARE.match(word):
            made += [ENCODERS[found[1]], "-preset", "ultrafast", "-forced-idr", "1"]
            made += ["-sc_threshold", "0", "-threads", "1"]
        else:
            made.append(word)
    return made


def graph(text):
    for old, new in GRAPH:
        text = re.sub(old, new, text)
    return text


sys.exit(main())
"""


class Graphics:
    """The program in a folder, and how it is in the mood: ``works``, ``fails``,
    ``hangs``, ``refuses``, or ``quality`` when it can't cap a quality."""

    def __init__(self, folder: Path, real: str = "/usr/bin/ffmpeg") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.device = folder / "renderD128"
        self.device.touch()
        self.mood = "works"
        self.lists_no()
        program = folder / "ffmpeg"
        source = _SOURCE.format(real=real, folder=str(folder))
        program.write_text(_PROGRAM.format(python=sys.executable, source=source))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    @property
    def path(self) -> str:
        """The PATH that finds it first."""
        return f"{self.folder}:{os.environ['PATH']}"

    def lists_no(self, *filters: str) -> None:
        """Let it not know of some filters."""
        (self.folder / "hidden").write_text(" ".join(filters))

    @property
    def mood(self) -> str:
        return (self.folder / "mood").read_text()

    @mood.setter
    def mood(self, mood: str) -> None:
        (self.folder / "mood").write_text(mood)

    @property
    def used(self) -> int:
        """How often something was encoded on it, or tried to be."""
        log = self.folder / "used"
        return len(log.read_text().splitlines()) if log.exists() else 0
