"""What tone mapping is to give, computed from the standards and not by filters.

Patches of known light, in nits, are written as HDR10 (SMPTE ST 2084) or HLG (ITU-R
BT.2100) pictures; what a screen of the usual range is to show of them follows from the
formulas of those standards, BT.2087 for the colours, Hable's curve, and BT.1886.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.media_samples import ffmpeg

Array = Any

PQ, HLG = "smpte2084", "arib-std-b67"
SIZE, GRID = (640, 360), (8, 4)
_GREYS = (0, 0.5, 2, 10, 26, 50, 100, 203, 350, 600, 800, 1000)
# How many patches are grey, and which of them is the white of paper (BT.2408).
GREYS, PAPER = len(_GREYS), _GREYS.index(203)
# What is white for a screen of the usual range, and the brightest that is expected
# where a film says nothing of it.
_WHITE, _PEAK = 100.0, 1_000.0
_TO_2020 = np.array([[0.2627, 0.6780, 0.0593]])
_FROM_2020 = np.array(
    [
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ]
)


@dataclass(frozen=True, slots=True)
class Patches:
    """Red, green and blue light of each patch, in nits, in the colours of BT.2020."""

    light: Array

    def expected(self, transfer: str, peak: float = _PEAK) -> Array:
        """Return red, green and blue, from 0 to 255, as they are to be shown."""
        light = _seen(self.light, transfer) / _WHITE
        shown = np.maximum(light @ _FROM_2020.T, 0)
        signal = np.maximum(shown.max(axis=-1, keepdims=True), 1e-6)
        top = peak / _WHITE
        mapped = shown * (_hable(signal) / _hable(np.array(top)) / signal)
        return 255 * np.clip(mapped, 0, 1) ** (1 / 2.4)


def patches() -> Patches:
    """Return greys from black to the sun, and colours at two strengths."""
    tints = [(1, 0.2, 0.2), (0.2, 1, 0.2), (0.2, 0.2, 1), (1, 1, 0.2), (0.9, 0.6, 0.45)]
    light: list[tuple[float, ...]] = [(nits,) * 3 for nits in _GREYS]
    for strength in (30, 120, 400, 900):
        light += [tuple(strength * part for part in tint) for tint in tints]
    return Patches(np.array(light, dtype=float))


def source(folder: Path, transfer: str, *more: str) -> Path:
    """Write a second of the patches, lossless, as a film of the kind."""
    target = folder / f"patches-{transfer}{len(more)}.mkv"
    signal = _encoded(patches().light, transfer)
    luma = signal @ _TO_2020.T
    blue = (signal[:, 2:] - luma) / 1.8814
    red = (signal[:, :1] - luma) / 1.4746
    columns, rows = GRID
    planes = [64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red]
    raw = b"".join(
        np.kron(
            np.round(plane).astype("<u2").reshape(rows, columns),
            np.ones((height // rows, width // columns), dtype="<u2"),
        ).tobytes()
        for plane, (width, height) in zip(
            planes, (SIZE, *(((SIZE[0] // 2, SIZE[1] // 2),) * 2)), strict=True
        )
    )
    frame = folder / f"patches-{transfer}.yuv"
    frame.write_bytes(raw * 24)
    size = f"{SIZE[0]}x{SIZE[1]}"
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", size, "-r", "24"),
        *("-i", frame, "-c:v", "libx265", "-preset", "ultrafast"),
        *("-x265-params", ":".join(["lossless=1:log-level=none", *more])),
        *("-color_primaries", "bt2020", "-color_trc", transfer),
        *("-colorspace", "bt2020nc", "-color_range", "tv", target),
    )
    return target


def shown(path: Path) -> Array:
    """Return red, green and blue, from 0 to 255, of each patch of a film of ours."""
    raw = ffmpeg(
        *("-i", path, "-frames:v", "1", "-pix_fmt", "yuv444p"),
        *("-f", "rawvideo", "-"),
    )
    (width, height), (columns, rows) = SIZE, GRID
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(3, height, width).astype(float)
    high, wide = height // rows, width // columns
    inner = planes.reshape(3, rows, high, columns, wide)
    inner = inner[:, :, high // 4 : -(high // 4), :, wide // 4 : -(wide // 4)]
    luma, blue, red = inner.mean(axis=(2, 4)).reshape(3, -1)
    luma, blue, red = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
    r, b = luma + 1.5748 * red, luma + 1.8556 * blue
    g = (luma - 0.2126 * r - 0.0722 * b) / 0.7152
    return 255 * np.clip(np.stack([r, g, b], axis=-1), 0, 1)


def _hable(x: Array) -> Array:
    a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
    return (x * (x * a + b * c) + d * e) / (x * (x * a + b) + d * f) - e / f


def _encoded(light: Array, transfer: str) -> Array:
    """Return the signal, from 0 to 1, that stands for light in nits."""
    if transfer == PQ:
        y = (light / 10_000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    scene = light / 1_000
    low = np.sqrt(3 * scene)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, low, high)


def _seen(light: Array, transfer: str) -> Array:
    """Return the light of the screen: HLG tells that of the scene."""
    if transfer == PQ:
        return light
    scene = light / 1_000
    return 1_000 * scene * (scene @ _TO_2020.T) ** 0.2
