"""Profiles: who watches with an account, what they watched, and how they like it."""

from typing import Any

from appliance.accounts import people, pins, profiles
from appliance.accounts.confirmation import account_id
from appliance.accounts.profiles import Profile
from appliance.accounts.tastes import Preferences
from appliance.permissions import Action
from appliance.playback import history, switching
from appliance.playback.permission import viewer
from web import context, guard
from web.api import profile_schemas as schemas
from web.api.endpoint import PLAY, Endpoint


def list_profiles() -> dict[str, Any]:
    """List the profiles of the account, and which of them watches."""
    db, signed_in = context.db(), guard.who()
    found = profiles.of_account(db, signed_in.account_id)
    current = signed_in.profile_id if signed_in.profile_chosen else None
    return {
        "profiles": found,
        "current": next((p.public_id for p in found if p.id == current), None),
        "most": context.settings().accounts.profiles,
        "guarded": pins.guards(db, signed_in.account_id),
    }


def choose_profile(given: dict[str, Any]) -> Profile:
    """Say who watches with this session; what another profile plays there ends."""
    return switching.switch(
        context.db(),
        context.settings(),
        context.actor(),
        given["profile"],
        pin=given["pin"],
        account_pin=given["account_pin"],
    )


def add_profile(given: dict[str, Any]) -> Profile:
    """Add a profile to the account."""
    actor = context.actor()
    own = account_id(actor)
    return profiles.add(context.db(), context.settings(), actor, own, **given)


def change_profile(given: dict[str, Any], public_id: str) -> Profile:
    """Change a profile of the account."""
    return profiles.edit(
        context.db(), context.settings(), context.actor(), public_id, **given
    )


def remove_profile(given: dict[str, Any], public_id: str) -> None:
    """Remove a profile with what it watched."""
    profiles.remove(
        context.db(), context.settings(), context.actor(), public_id, **given
    )


def set_profile_pin(given: dict[str, Any], public_id: str) -> None:
    """Set the PIN that opens a profile, or take it away."""
    pins.set_of_profile(
        context.db(), context.settings(), context.actor(), public_id, **given
    )


def set_account_pin(given: dict[str, Any]) -> None:
    """Set the PIN of the account, or take it away."""
    pins.set_own(context.db(), context.settings(), context.actor(), **given)


def clear_pins(username: str) -> dict[str, Any]:
    """Take away every PIN of an account, as when nobody remembers them."""
    account = people.find(context.db(), username)
    return {"cleared": pins.clear(context.db(), context.actor(), account.id)}


def show_preferences() -> Preferences:
    """Show how the profile that calls likes to watch."""
    _account_id, profile_id = viewer(context.actor())
    return profiles.preferences(context.db(), profile_id)


def change_preferences(given: dict[str, Any]) -> Preferences:
    """Change some preferences of the profile that calls."""
    return profiles.prefer(context.db(), context.actor(), given)


def show_history(query: dict[str, Any]) -> dict[str, Any]:
    """Show what the profile that calls has watched, the last first."""
    return {"history": history.listing(context.db(), context.actor(), **query)}


def clear_history() -> None:
    """Forget all that the profile that calls has watched."""
    history.clear(context.db(), context.actor())


def forget_title(slug: str) -> None:
    """Forget that the profile that calls has watched a title."""
    history.forget(context.db(), context.actor(), slug)


_ANY = guard.signed_in("Whoever is signed in says who watches.")
_OWN, _MANAGE = guard.needs(Action.ACCOUNT_OWN), guard.needs(Action.ACCOUNT_MANAGE)
_ONE = "/profiles/<public_id>"

ENDPOINTS = (
    Endpoint("GET", "/profiles", list_profiles, _ANY, gives=schemas.Profiles),
    Endpoint(
        *("PUT", "/profile", choose_profile, _ANY),
        takes=schemas.Choice,
        gives=schemas.Profile,
    ),
    Endpoint(
        *("POST", "/profiles", add_profile, _OWN),
        takes=schemas.NewProfile,
        gives=schemas.Profile,
        status=201,
    ),
    Endpoint(
        *("PATCH", _ONE, change_profile, _OWN),
        takes=schemas.ProfileChange,
        gives=schemas.Profile,
    ),
    Endpoint(
        *("DELETE", _ONE, remove_profile, _OWN),
        takes=schemas.Proof,
        place="headers",
        status=204,
    ),
    Endpoint(
        *("PUT", f"{_ONE}/pin", set_profile_pin, _OWN),
        takes=schemas.Pin,
        status=204,
    ),
    Endpoint(
        *("PUT", "/account/pin", set_account_pin, _OWN),
        takes=schemas.Pin,
        status=204,
    ),
    Endpoint(
        *("DELETE", "/accounts/<username>/pins", clear_pins, _MANAGE),
        gives=schemas.PinsCleared,
    ),
    Endpoint(
        *("GET", "/profile/preferences", show_preferences, PLAY),
        gives=schemas.Preferences,
    ),
    Endpoint(
        *("PATCH", "/profile/preferences", change_preferences, PLAY),
        takes=schemas.PreferencesChange,
        gives=schemas.Preferences,
    ),
    Endpoint(
        *("GET", "/profile/history", show_history, PLAY),
        takes=schemas.HistoryQuery,
        gives=schemas.History,
        place="query",
    ),
    Endpoint("DELETE", "/profile/history", clear_history, _OWN, status=204),
    Endpoint("DELETE", "/profile/history/<slug>", forget_title, _OWN, status=204),
)
