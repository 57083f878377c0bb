"""What makers of content keys give, and what they all look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from appliance.cenc import KeySystem, Label, Scheme


@dataclass(frozen=True, slots=True)
class ProvidedKey:
    """A content key as its maker gave it.

    ``kid`` is 32 lower-case hexadecimal digits and ``iv``, where the key has one of
    its own, as many. ``pssh`` holds whole boxes, as many as the maker gave for a key
    system; for FairPlay, which knows no boxes, it holds the ``skd://…`` address of the
    key, where the maker gave one.
    """

    kid: str
    key: bytes = field(repr=False)
    label: Label
    iv: str | None
    pssh: Mapping[KeySystem, bytes]


class KeyProvider(Protocol):
    """Makes content keys; what it asks of a service takes as long as that takes."""

    @property
    def name(self) -> str: ...

    def keys(
        self,
        content_id: str,
        labels: Sequence[Label],
        scheme: Scheme,
        systems: Sequence[KeySystem],
    ) -> tuple[ProvidedKey, ...]:
        """Return a key for each label, with what ``systems`` need to ask for it.

        Where it costs nothing, what the other systems need comes with it. Services
        give the same keys for the same ``content_id``: new ones need another.
        """
