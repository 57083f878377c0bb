"""The words of Common Encryption (ISO/IEC 23001-7) that the whole house shares."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID


class Scheme(StrEnum):
    """How samples are encrypted: a pattern of AES-CBC blocks, or all of AES-CTR."""

    CBCS = "cbcs"
    CENC = "cenc"


class KeySystem(StrEnum):
    """What opens a film in a browser; the value is what EME calls it."""

    CLEARKEY = "org.w3.clearkey"
    WIDEVINE = "com.widevine.alpha"
    PLAYREADY = "com.microsoft.playready"
    FAIRPLAY = "com.apple.fps"


class Label(StrEnum):
    """Which tracks of an asset share a content key."""

    AUDIO = "AUDIO"
    SD = "SD"
    HD = "HD"
    UHD = "UHD"


SHORT: Mapping[str, KeySystem] = {system.name.lower(): system for system in KeySystem}
"""Key systems by the short names of settings, commands and forms."""

SYSTEM_IDS: Mapping[KeySystem, UUID] = {
    KeySystem.CLEARKEY: UUID("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"),
    KeySystem.WIDEVINE: UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"),
    KeySystem.PLAYREADY: UUID("9a04f079-9840-4286-ab92-e65be0885f95"),
    KeySystem.FAIRPLAY: UUID("94ce86fb-07ff-4f43-adb8-93d2fa968ca2"),
}
"""The SystemID of each in ``pssh`` boxes; ClearKey uses W3C's common one."""

_SD_HEIGHT, _HD_HEIGHT = 576, 1080


def video_label(height: int) -> Label:
    """Return the label of a rendition that is ``height`` pixels high."""
    if height <= _SD_HEIGHT:
        return Label.SD
    return Label.HD if height <= _HD_HEIGHT else Label.UHD


def highest(label: Label) -> int | None:
    """Return the largest height that a video label covers; None: no limit."""
    return {Label.SD: _SD_HEIGHT, Label.HD: _HD_HEIGHT}.get(label)
