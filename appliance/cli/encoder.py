"""``matinee encoder``: what encodes on this machine, whether it works, how fast."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.errors import PreconditionFailed
from jobs.encoders import encoder_bench, encoder_list, proving
from jobs.encoders.encoder_list import EncoderState, Listed
from jobs.tools.encoders import SHOWN, Codec, Family

_CODECS = click.Choice([codec.value for codec in Codec])


@click.group()
def encoder() -> None:
    """See what encodes on this machine, test it, and measure it."""


@encoder.command("list")
@pass_installation
def list_encoders(installation: Installation) -> None:
    """List the encoders of this machine, and what their last test showed."""
    _show(installation)


@encoder.command()
@click.option(
    "--codec",
    "codecs",
    type=_CODECS,
    multiple=True,
    help="Only the encoders of this codec; may be given several times.",
)
@pass_installation
def probe(installation: Installation, codecs: tuple[str, ...]) -> None:
    """Test the encoders of this machine now, as media workers do after each boot.

    Each encodes five seconds, which are compared with their source. What passes is
    used, also when it had failed before. Fails when not even the processor encodes
    H.264.
    """
    chosen = tuple(Codec(each) for each in codecs) or tuple(Codec)
    found = proving.probe(installation.settings, chosen)
    _show(installation)
    own = found.of(Codec.H264, Family.SOFTWARE, "")
    if Codec.H264 in chosen and (own is None or not own.passed):
        raise PreconditionFailed(
            "encoder.none",
            "The processor does not encode H.264, which every film needs:"
            f" {own.why if own else 'it was not tested'}",
        )


@encoder.command()
@click.argument(
    "film",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@pass_installation
def bench(installation: Installation, film: Path | None) -> None:
    """Measure the encoders that passed their test, with five seconds of FILM.

    Without FILM it is a moving pattern. CPU is in seconds of one core for each second
    of film; SSIM says how much the worse of two renditions looks like its source.
    """
    settings = installation.settings
    if not any(each.passed for each in proving.known(settings).proofs):
        raise PreconditionFailed(
            "encoder.untested",
            "No encoder was tested yet: run `matinee encoder probe`.",
        )
    found = list(encoder_bench.measure(settings, film))
    installation.out.table(
        ("Codec", "By", "Frames/s", "CPU", "kb/s", "SSIM"),
        [
            (
                SHOWN[each.codec],
                _by(each.family, each.device),
                f"{each.fps:.0f}",
                f"{each.cpu:.2f}",
                each.kbps,
                f"{each.ssim:.4f}",
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
    )


def _show(installation: Installation) -> None:
    found = encoder_list.listing(installation.settings)
    degraded = proving.degraded(installation.settings)
    installation.out.table(
        ("Codec", "By", "State", "Frames/s", "SSIM", "Does", "Why"),
        [_row(each) for each in found],
        _document(installation, found, degraded),
    )
    if all(each.family is Family.SOFTWARE for each in found):
        installation.out.say(
            "No graphics processor was found or is wanted (hardware.family): the"
            " processor encodes everything."
        )
    for each in found:
        for sentence in each.without:
            by = _by(each.family, each.device)
            installation.out.say(
                f"{by} for {SHOWN[each.codec]} leaves to the processor: {sentence}"
            )
    for sentence in degraded:
        installation.out.say(f"Degraded: {sentence}")


def _row(each: Listed) -> tuple[object, ...]:
    tested = each.state not in (EncoderState.FAILED, EncoderState.UNTESTED)
    return (
        SHOWN[each.codec],
        _by(each.family, each.device),
        each.state,
        f"{each.fps:.0f}" if tested else "",
        f"{each.ssim:.4f}" if tested else "",
        " ".join((each.control, *each.parts)),
        each.why,
    )


def _document(
    installation: Installation, found: list[Listed], degraded: list[str]
) -> dict[str, Any]:
    known = proving.known(installation.settings)
    return {
        "encoders": [dataclasses.asdict(each) for each in found],
        "degraded": degraded,
        "ffmpeg": known.ffmpeg,
        "devices": list(known.devices),
        "due": proving.due(installation.settings),
    }


def _by(family: Family, device: str) -> str:
    return f"{SHOWN[family]} {device}".strip()
