"""What lets one machine into the Redis server: a user of its own, with few rights.

A user that is removed is thrown out at once. A server that keeps no users, or lets us
make none, gives everybody the same password: then that is what has to be changed.
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.exceptions import AuthorizationError, RedisError, ResponseError

from appliance.errors import TryAgain
from jobs.broker import Broker

_ALL = "matinee-"
_RIGHTS = (
    *("+@read", "+@write", "+@blocking", "+@connection"),
    *("-@dangerous", "-@admin", "-@scripting", "-scan", "-randomkey", "-dbsize"),
)
# Those with the folder of films take hints; far ones leave letters and read answers.
_NEAR_KEYS = ("~huey.*.matinee*",)
_FAR_KEYS = ("~matinee-exchange:*",)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """User and password; ``own`` says whether no other machine has them."""

    username: str
    password: str = field(repr=False)
    own: bool


def issue(broker: Broker, name: str, *, far: bool) -> Pass:
    """Make a user for a machine, else give what everybody uses.

    Errors: ``TryAgain`` while the server does not answer.
    """
    username = f"{_ALL}{name}-{secrets.token_hex(3)}"
    password = secrets.token_urlsafe(32)
    digest = hashlib.sha256(password.encode()).hexdigest()
    keys = _FAR_KEYS if far else _NEAR_KEYS
    try:
        redis = _redis(broker)
        redis.execute_command(
            "ACL", "SETUSER", username, "reset", "on", f"#{digest}", *keys, *_RIGHTS
        )
        if _saved(redis):
            return Pass(username, password, own=True)
        redis.execute_command("ACL", "DELUSER", username)
    except (AuthorizationError, ResponseError) as error:
        logger.warning("Redis makes no users for machines: %s", error)
    except RedisError as error:
        raise _unreachable() from error
    everybodys = broker.pool().connection_kwargs
    return Pass(
        str(everybodys.get("username") or ""),
        str(everybodys.get("password") or ""),
        own=False,
    )


def revoke(broker: Broker, username: str) -> bool:
    """Remove the user of a machine; its connections end. Say whether there was one.

    Errors: ``TryAgain`` while the server does not answer.
    """
    try:
        redis = _redis(broker)
        there = bool(redis.execute_command("ACL", "DELUSER", username))
        _saved(redis)
    except RedisError as error:
        raise _unreachable() from error
    return there


def _saved(redis: Any) -> bool:
    """Keep the users over a restart; give False where the server keeps none."""
    try:
        redis.execute_command("ACL", "SAVE")
    except ResponseError:
        return False
    return True


def _redis(broker: Broker) -> Any:
    return Redis(connection_pool=broker.pool())


def _unreachable() -> TryAgain:
    return TryAgain(
        "queue.unreachable",
        "Redis (queue.url) does not answer: see to it, or to the network.",
    )
