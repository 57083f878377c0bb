"""How much an encoded picture looks like the one it was made of.

VMAF where an ffmpeg has libvmaf: it was trained on what people see, from 0 to 100;
6 more is what everybody sees, 2 what hardly anybody does. SSIM (1: the same) and PSNR
(in dB) are mere arithmetic, and what is left elsewhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.tools import capabilities, ffmpeg, process
from jobs.tools.ffmpeg import STATIC_FFMPEG
from jobs.tools.process import ProcessFailed
from jobs.work import Work

# Of pictures that are the same; infinity is no JSON.
MOST_PSNR = 100.0

_EVERY = 5
_BESIDES = ("psnr", "float_ssim")
# Tags of colours may differ where colours do not, and newer ffmpegs would convert one
# to the other. Time bases of containers differ, too: frame N is to meet frame N.
_TAGS = "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
_COUNTED = f"setparams={_TAGS},format=yuv420p,settb=1/1000,setpts=N"


@dataclass(frozen=True, slots=True)
class Scores:
    """``vmaf`` is None where no ffmpeg measures it; all are means over the frames.

    There ``ssim`` is the stricter one of full size; libvmaf's looks from further away.
    """

    vmaf: float | None
    ssim: float
    psnr: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A film of ours to compare with the reference, from ``start`` on, in seconds.

    ``start`` is at a keyframe. Both pictures are scaled to ``size`` before, the one to
    compare by way of the size ``through``.
    """

    encoded: Path
    size: tuple[int, int]
    start: float = 0
    through: tuple[int, int] | None = None


def compare(
    reference: Path,
    encoded: Path,
    work: Work,
    *,
    size: tuple[int, int],
    start: float = 0,
    every: int = _EVERY,
) -> Scores:
    """Compare the frames of ``encoded`` with those of ``reference``, one by one.

    ``reference`` holds them as they are to be seen, see
    :func:`jobs.steps.pictures.reference_args`; the longer of both is not read to its
    end. Only each ``every``-th frame is measured.
    Errors: ``ProcessFailed``, ``Cancelled``.
    """
    pairs = [Pair(encoded, size, start)]
    program = vmaf_program()
    if program is None:
        ssim, psnr = (
            _plain(kind, reference, pairs, work, every)[0] for kind in ("ssim", "psnr")
        )
        return Scores(None, ssim, min(MOST_PSNR, psnr))
    found = _vmaf(program, reference, pairs, work, every, _BESIDES)[0]
    psnr = min(MOST_PSNR, found["psnr_y"])
    return Scores(found["vmaf"], min(1.0, found["float_ssim"]), psnr)


def leading(
    reference: Path, pairs: Sequence[Pair], work: Work, *, every: int = _EVERY
) -> list[float]:
    """Return what counts of several comparisons, cheaply: :func:`measure` says what."""
    program = vmaf_program()
    if program is None:
        return _plain("ssim", reference, pairs, work, every)
    return [each["vmaf"] for each in _vmaf(program, reference, pairs, work, every)]


def measure() -> str:
    """Return what pictures are compared by on this machine: vmaf or ssim."""
    return "ssim" if vmaf_program() is None else "vmaf"


def vmaf_program() -> str | None:
    """Return the ffmpeg that measures VMAF, if there is one."""
    for program in (STATIC_FFMPEG, ffmpeg.FFMPEG):
        try:
            if "libvmaf" in capabilities.build(program).filters:
                return program
        except ProcessFailed:
            continue
    return None


def _vmaf(
    program: str,
    reference: Path,
    pairs: Sequence[Pair],
    work: Work,
    every: int,
    besides: Sequence[str] = (),
) -> list[Mapping[str, float]]:
    options = f"shortest=1:n_subsample={every}:n_threads=1:log_fmt=json"
    if besides:
        options += ":feature=" + "|".join(f"name={name}" for name in besides)
    filters = [
        f"libvmaf={options}:log_path={_log_name(number)}"
        for number in range(len(pairs))
    ]
    logs = _run(program, reference, pairs, filters, work)
    return [
        {
            name: found["mean"]
            for name, found in json.loads(log)["pooled_metrics"].items()
        }
        for log in logs
    ]


def _plain(
    kind: str, reference: Path, pairs: Sequence[Pair], work: Work, every: int
) -> list[float]:
    filters = [
        f"{kind}=shortest=1:stats_file={_log_name(number)}"
        for number in range(len(pairs))
    ]
    logs = _run(ffmpeg.FFMPEG, reference, pairs, filters, work)
    return [_mean(kind, log, every) for log in logs]


def _mean(kind: str, log: str, every: int) -> float:
    """Return the mean over some lines of ``n:1 … Y:0.98 …`` or ``… psnr_y:41.2 …``."""
    name = {"ssim": "Y", "psnr": "psnr_y"}[kind]
    found = re.findall(rf"\b{name}:(\S+)", log)[::every]
    if not found:
        raise ProcessFailed("scores.none", "No picture could be compared.")
    return sum(min(float(each), MOST_PSNR) for each in found) / len(found)


def _run(
    program: str,
    reference: Path,
    pairs: Sequence[Pair],
    filters: Sequence[str],
    work: Work,
) -> list[str]:
    """Run ffmpeg; return what each measuring filter wrote."""
    inputs = _input(reference, 0)
    count = len(pairs)
    graph = [f"[0:v]{_COUNTED},split={count}" + _pads("r", count)]
    for number, (pair, measured) in enumerate(zip(pairs, filters, strict=True)):
        inputs += _input(pair.encoded, pair.start)
        size = f"{_scale(pair.size)},format=yuv420p"
        through = "" if pair.through is None else f"{_scale(pair.through)},"
        graph += [
            f"[{number + 1}:v]{_COUNTED},{through}{size}[e{number}]",
            f"[r{number}]{size}[s{number}]",
            f"[e{number}][s{number}]{measured}[o{number}]",
        ]
    args = [program, "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *inputs]
    args += ["-filter_complex", ";".join(graph)]
    for number in range(count):
        args += ["-map", f"[o{number}]"]
    args += ["-enc_time_base", "1:1000", "-f", "null", "-"]
    # The logs are named without a path: its signs may mean something in a graph.
    logs = [work.folder / _log_name(number) for number in range(count)]
    try:
        process.run(args, process.in_folder(ffmpeg.how(work), work.folder))
        return [log.read_text() for log in logs]
    finally:
        for log in logs:
            log.unlink(missing_ok=True)


def _scale(size: tuple[int, int]) -> str:
    return f"scale={size[0]}:{size[1]}:flags=bicubic"


def _input(path: Path, start: float) -> list[str]:
    seek = ["-ss", f"{start:.6f}"] if start else []
    return [*ffmpeg.options(ffmpeg.OWN_INPUT), *seek, "-i", ffmpeg.url(path)]


def _pads(name: str, count: int) -> str:
    return "".join(f"[{name}{number}]" for number in range(count))


def _log_name(number: int) -> str:
    return f"scores-{number}.log"
