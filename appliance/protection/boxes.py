"""What manifests tell of content keys: KIDs and boxes, without opening a key."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.db import Database
from appliance.protection import playready, pssh
from appliance.protection.local import LocalKeys


@dataclass(frozen=True, slots=True)
class KeyBoxes:
    """One key's row but for the key; ``document`` holds its boxes as JSON.

    It can be compared and hashed, to see whether a manifest has to be rendered anew.
    """

    kid: str
    provider: str
    document: str

    def of_systems(
        self, together: Sequence[str], scheme: Scheme
    ) -> Mapping[KeySystem, bytes]:
        """Return what each key system is told about the key: whole boxes.

        ``together`` are the KIDs that one licence should bring. For keys of our own
        that is written now, so that a system which was allowed only later opens the
        film too; PlayReady's header for ``cenc`` proves the key, and is as it was made.
        For FairPlay it is the ``skd://…`` address of the key.
        """
        stored = {
            KeySystem(name): base64.b64decode(box)
            for name, box in json.loads(self.document).items()
        }
        stored.setdefault(KeySystem.FAIRPLAY, f"skd://{self.kid}".encode())
        if self.provider != LocalKeys.name:
            return stored
        stored[KeySystem.WIDEVINE] = pssh.widevine(together, scheme)
        if scheme is Scheme.CBCS:
            header = playready.protection_object(
                playready.header(self.kid, b"", scheme)
            )
            own = pssh.box(SYSTEM_IDS[KeySystem.PLAYREADY], header)
            stored[KeySystem.PLAYREADY] = own
        return stored


def of_asset(db: Database, asset_id: int) -> tuple[KeyBoxes, ...]:
    """Return the rows of all keys of an asset."""
    rows = db.rows(
        """
        select kid, provider, pssh from content_keys
        where asset_id = ? order by id
        """,
        (asset_id,),
    )
    return tuple(KeyBoxes(row["kid"], row["provider"], row["pssh"]) for row in rows)


def clearkey(together: Sequence[str]) -> bytes:
    """Return the box that asks ClearKey for all these keys with one request."""
    return pssh.common(together)


def playready_object(boxes: bytes) -> bytes:
    """Return what lies inside PlayReady's box; nothing where there is none."""
    wanted = SYSTEM_IDS[KeySystem.PLAYREADY]
    return next(
        (each.data for each in pssh.read(boxes) if each.system_id == wanted), b""
    )
