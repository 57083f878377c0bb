"""Checks of a cluster: SQLite's disks, the Redis server, clocks, releases, edges."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from appliance import __version__, file_systems
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.delivery import routes
from appliance.delivery.routes import Edge
from appliance.delivery.tokens import SKEW_SECONDS
from appliance.operations import invitations
from appliance.operations.findings import Level
from appliance.permissions import SYSTEM
from jobs import broker
from jobs.broker import Broker
from jobs.machines import nodes

_OFF_SECONDS = 5.0
_EDGE_SECONDS = 5.0
_CLOCKS = "set the clocks by one time server: systemctl enable --now systemd-timesyncd"


def _file_systems(examined: Examined) -> Answer:
    mounts = examined.file("/proc/self/mountinfo")
    for what, path in file_systems.places(examined.settings):
        found = file_systems.of(path, mounts)
        if not found.local:
            return (
                Level.FAIL,
                file_systems.refusal(what, path, found),
                "stop Matinee, copy its home to a local disk, and mount that there",
            )
    kind = file_systems.of(examined.settings.database.parent, mounts).kind
    return ok(f"database and queue lie on this machine's own disk ({kind})")


def _redis(examined: Examined) -> Answer:
    found = broker.of(examined.settings)
    if not found.url:
        return ok("hints are queued on this machine: there is no cluster")
    try:
        policy = Redis(connection_pool=found.pool()).config_get("maxmemory-policy")
    except AuthenticationError:
        return (
            Level.FAIL,
            "Redis takes neither our user name nor our password",
            f"write those that it knows into {broker.CREDENTIALS} of the folder of"
            " keys, mode 0600",
        )
    except RedisError as error:
        return (
            Level.FAIL,
            f"Redis at {found.host}:{found.port} does not answer ({_short(error)})",
            "see to it (systemctl status redis-server), its certificate, and the"
            " firewall between the machines",
        )
    return _kept_well(found, str(policy.get("maxmemory-policy", "")))


def _kept_well(found: Broker, policy: str) -> Answer:
    where = f"Redis at {found.host}:{found.port}"
    if not found.secure and not _is_private(found.host):
        return (
            Level.WARN,
            f"{where} answers without TLS, and is not in a private network",
            "let it speak TLS, and set queue.url to rediss://…",
        )
    if policy and policy != "noeviction":
        return (
            Level.WARN,
            f"{where} throws keys away when its memory is full ({policy})",
            "set maxmemory-policy noeviction in its configuration",
        )
    return ok(f"{where} answers{' over TLS' if found.secure else ''}")


def _clocks(examined: Examined) -> Answer:
    off = [
        (node.name, node.clock)
        for node in nodes.listing(examined.storage, time.time())
        if node.alive and abs(node.clock) > _OFF_SECONDS
    ]
    if not off:
        return ok("the clocks of all media workers agree")
    name, seconds = max(off, key=lambda each: abs(each[1]))
    level = Level.FAIL if abs(seconds) > SKEW_SECONDS else Level.WARN
    return level, f"the clock of {name} is {_ahead(seconds)}", _CLOCKS


def _releases(examined: Examined) -> Answer:
    found = {
        node.name: node.versions.get("matinee", "")
        for node in nodes.listing(examined.storage, time.time())
        if node.alive
    }
    with examined.db() as db:
        found |= {
            each.name: each.version
            for each in invitations.members(db, SYSTEM)
            if each.name not in found
        }
    other = {name: version for name, version in found.items() if version != __version__}
    if not other:
        return ok(f"every machine has Matinee {__version__}")
    named = ", ".join(f"{name} has {other[name] or 'none'}" for name in sorted(other))
    return (
        Level.WARN,
        f"the control node has Matinee {__version__}, but {named}: workers of another"
        " release do nothing",
        "ansible-playbook upgrade.yml, or install this release there",
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an edge answered: why not, or by how many seconds its clock is ahead."""

    edge: Edge
    trouble: str = ""
    ahead: float = 0.0


def _edges(examined: Examined) -> Answer:
    known = routes.edges(examined.settings)
    if not known:
        return ok("there are no edges")
    asked = list(map(_ask, known))
    for each in asked:
        if each.trouble:
            return (
                Level.WARN,
                f"the edge {each.edge.name} ({each.edge.base}) {each.trouble}: players"
                " go on to the next, or come here",
                f"see to it, or take it out of edge.sites; matinee edge check"
                f" --edge {each.edge.name} asks it more",
            )
    for each in asked:
        # Whole seconds stand in its answer.
        if abs(each.ahead) > _OFF_SECONDS + 1:
            level = Level.FAIL if abs(each.ahead) > SKEW_SECONDS else Level.WARN
            sentence = f"the clock of the edge {each.edge.name} is {_ahead(each.ahead)}"
            return level, sentence, _CLOCKS
    return ok(f"{len(known)} edges answer, and their clocks agree with ours")


def _ask(edge: Edge) -> _Asked:
    """Ask an edge whether it lives, as anybody can."""
    parts = urlsplit(edge.base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_EDGE_SECONDS)
    try:
        connection.request("GET", "/-/live")
        response = connection.getresponse()
        date = response.headers.get("Date", "")
        if response.status != 200:
            return _Asked(edge, f"answers with {response.status}")
        return _Asked(edge, ahead=parsedate_to_datetime(date).timestamp() - time.time())
    except (OSError, HTTPException) as error:
        return _Asked(edge, f"can’t be asked ({_short(error)})")
    except (TypeError, ValueError):
        return _Asked(edge, "does not say what time it is")
    finally:
        connection.close()


def _ahead(seconds: float) -> str:
    how = "ahead of" if seconds > 0 else "behind"
    return f"{abs(seconds):.0f} seconds {how} the control node's"


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


CHECKS: Checks = {
    "cluster.file_systems": Check(_file_systems),
    "cluster.redis": Check(_redis),
    "cluster.clocks": Check(_clocks),
    "cluster.releases": Check(_releases),
    "cluster.edges": Check(_edges, slow=True, seconds=30),
}
