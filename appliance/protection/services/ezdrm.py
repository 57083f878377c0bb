"""EZDRM: the account's profile in the address; it asks back who may watch.

EZDRM calls the operator's authorisation address with what we send as CustomData: the
playback session, which is asked for at our door before anything is forwarded.
Source: EZDRM's player guides.
Credentials: ``[ezdrm]`` profile, or widevine_profile, playready_profile and
fairplay_profile; fairplay_certificate, its address.
"""

from collections.abc import Mapping

from appliance.protection.credentials import Section
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Wish


def query(wish: Wish, secrets: Section) -> Mapping[str, str]:
    """Name the account's profile, one for each key system, and the session."""
    profile = f"{wish.system.name.lower()}_profile"
    return {
        "pX": secrets.get(profile) or secrets["profile"],
        "CustomData": encoding.base64_text(wish.session.encode()),
    }
