"""Write a small MaxMind DB file: countries by network, as GeoIP databases have them.

The format is https://maxmind.github.io/MaxMind-DB/: a binary tree over the bits of an
IPv6 address (IPv4 stands at ``::/96``), the records, and a map of metadata.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_MAP, _TEXT, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 5, 6, 9, 11


def write(path: Path, records: Mapping[str, Any]) -> Path:
    """Write records by network, as ``{"81.2.69.0/24": {"country": …}}``."""
    data, places = b"", {}
    for network, record in records.items():
        places[network] = len(data)
        data += _encoded(record)
    nodes = _tree(places)
    tree = b"".join(_node(each, len(nodes)) for each in nodes)
    metadata = {
        "binary_format_major_version": (_UINT16, 2),
        "binary_format_minor_version": (_UINT16, 0),
        "build_epoch": (_UINT64, 1_767_355_200),
        "database_type": "Matinee-Test-Country",
        "description": {"en": "Countries of a test"},
        "ip_version": (_UINT16, 6),
        "languages": ["en"],
        "node_count": (_UINT32, len(nodes)),
        "record_size": (_UINT16, 24),
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _encoded(metadata))
    return path


def countries(path: Path, **networks: str) -> Path:
    """Write networks by country: ``countries(path, DE="81.2.69.0/24")``."""
    return write(
        path,
        {
            network: {"country": {"iso_code": code, "names": {"en": code}}}
            for code, network in networks.items()
        },
    )


_Nodes = list[list[int | tuple[str, int] | None]]


def _tree(places: Mapping[str, int]) -> _Nodes:
    """Return nodes of two sides: another node's number, a place of data, or nothing."""
    nodes: _Nodes = [[None, None]]
    for network, place in places.items():
        parsed = ip_network(network)
        address = int(IPv6Address(int(parsed.network_address)))
        length = parsed.prefixlen + (96 if parsed.version == 4 else 0)
        node = 0
        for depth in range(length):
            side = address >> (127 - depth) & 1
            if depth == length - 1:
                nodes[node][side] = ("data", place)
                break
            following = nodes[node][side]
            if not isinstance(following, int):
                nodes.append([None, None])
                following = nodes[node][side] = len(nodes) - 1
            node = following
    return nodes


def _node(sides: list[int | tuple[str, int] | None], count: int) -> bytes:
    return b"".join(_side(each, count).to_bytes(3, "big") for each in sides)


def _side(side: int | tuple[str, int] | None, count: int) -> int:
    if side is None:
        return count
    return side if isinstance(side, int) else count + 16 + side[1]


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _control(_TEXT, len(text)) + text
    if isinstance(value, tuple):
        kind, number = value
        digits = int(number).to_bytes(8, "big").lstrip(b"\0")
        return _control(kind, len(digits)) + digits
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    pairs = (_encoded(each) for pair in value.items() for each in pair)
    return _control(_MAP, len(value)) + b"".join(pairs)


def _control(kind: int, size: int) -> bytes:
    assert size < 29, "longer texts have another form"
    if kind < 8:
        return bytes([kind << 5 | size])
    return bytes([size, kind - 7])
