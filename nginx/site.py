"""What every template is filled with: settings, checked and made plain."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from appliance import browser_policy
from appliance.delivery import routes
from appliance.delivery.tokens import Algorithm
from appliance.errors import ConfigError, InvalidInput
from appliance.operations.certificates import reading
from appliance.settings import Settings
from nginx import just_in_time, words
from nginx.problems import PROBLEMS, Problem
from nginx.roles import Chosen
from nginx.secrets import Secrets
from nginx.words import Trusted

STATIC = Path(__file__).resolve().parent.parent / "web" / "static"

_FIELDS = (
    r"(?<media_kid>[0-9]{1,6})\.(?<media_end>[0-9]{10})"
    r"\.(?<media_session>[0-9a-f]{16})\.(?<media_scope>all|h[1-9][0-9]{1,4})"
)
_MAC = r"\.(?<media_mac>[A-Za-z0-9_-]{%d})/(?<media_asset>[0-9a-f]{16})"


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests of one address: a minute for signing in, a second for the others.

    A company may sit behind one address, so they stop floods and not people.
    """

    sign_in: int = 60
    api: int = 100
    licence: int = 50
    pages: int = 50
    connections: int = 500
    media_connections: int = 4000


@dataclass(frozen=True, slots=True)
class Site:
    """One machine's web server; every text was checked to be harmless to nginx."""

    roles: tuple[str, ...]
    http_files: tuple[str, ...]
    server_files: tuple[str, ...]
    media_file: str
    checks_tokens: bool
    user: str
    workers: str
    run: str
    log: str
    cache: str
    modules: tuple[str, ...]
    listen: tuple[Trusted, ...]
    listen_http: tuple[Trusted, ...]
    listen_default: tuple[Trusted, ...]
    server_name: Trusted | str
    tls: bool
    tls_certificate: str
    tls_key: str
    strict_transport: bool
    tls_authority: str
    proxy_host: Trusted | str
    proxy_scheme: Trusted | str
    proxy_for: Trusted
    trusted_proxies: tuple[str, ...]
    web: str
    packages: str
    static: str
    slow_disks: bool
    cors_origins: tuple[str, ...]
    cors_policy: str
    internal_networks: tuple[str, ...]
    upload_megabytes: int
    limits: Limits
    security_headers: tuple[tuple[str, Trusted], ...]
    problems: tuple[Problem, ...]
    token_check: str
    media_token: Trusted
    media_secrets: tuple[tuple[str, str], ...]
    nobodys_secret: str
    shield_secrets: tuple[str, ...]
    shared_reader: str
    is_edge: bool
    edge_name: str
    edge_listen: tuple[Trusted, ...]
    edge_secrets: tuple[str, ...]
    edge_required: bool

    def values(self) -> dict[str, Any]:
        """Return what templates see, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def site(settings: Settings, secrets: Secrets, chosen: Chosen) -> Site:
    """Return the values of the machine that ``settings`` describe."""
    nginx, public = settings.nginx, _public(settings)
    tls = bool(nginx.tls_certificate or nginx.tls_key)
    name = words.host("portal.public_url", public.hostname) if public.hostname else ""
    edge_name = _edge_name(settings, chosen, name)
    if chosen.names == ("edge",):
        name = edge_name
    algorithm = _algorithm(settings.origin.token)
    cors = _origins(settings)
    return Site(
        roles=chosen.names,
        http_files=chosen.http,
        server_files=chosen.servers,
        media_file=chosen.media,
        checks_tokens=chosen.checks_tokens,
        user=words.plain("nginx.user", nginx.user) if nginx.user else "",
        workers=_workers(nginx.workers),
        run=words.path("nginx.run", nginx.run),
        log=words.path("nginx.log", nginx.log),
        cache=words.path("nginx.cache", nginx.cache),
        modules=tuple(_modules(settings, chosen, algorithm)),
        listen=tuple(_listen(settings, tls, not name)),
        listen_http=tuple(_listen(settings, False, not name)) if tls else (),
        listen_default=tuple(_all_ports(settings, tls)) if name else (),
        server_name=_names(settings, name),
        tls=tls,
        tls_certificate=_tls_file("nginx.tls_certificate", nginx.tls_certificate, tls),
        tls_key=_tls_file("nginx.tls_key", nginx.tls_key, tls),
        strict_transport=tls and _believed(nginx.tls_certificate),
        tls_authority=_authority(name or "$host", nginx.https_port),
        proxy_host=_proxy_host(name, public.port),
        proxy_scheme=_proxy_scheme(public.scheme),
        proxy_for=_proxy_for(bool(secrets.edges) and chosen.checks_tokens),
        trusted_proxies=words.networks(
            "portal.trusted_proxies", settings.portal.trusted_proxies
        ),
        web=_web(settings),
        packages=words.path("storage.media", str(settings.media / "packages")),
        static=words.path("the installation's folder", str(STATIC)),
        slow_disks=nginx.slow_disks,
        cors_origins=cors,
        cors_policy="cross-origin" if cors else "same-origin",
        internal_networks=words.networks(
            "nginx.internal_networks", nginx.internal_networks
        ),
        upload_megabytes=settings.uploads.chunk_megabytes + 1,
        limits=Limits(),
        security_headers=tuple(
            (name, words.quoted(value))
            for name, value in browser_policy.headers(routes.hosts(settings))
        ),
        problems=PROBLEMS,
        token_check=algorithm.name.lower(),
        media_token=media_token(algorithm),
        media_secrets=tuple(secrets.media.items()),
        nobodys_secret=secrets.nobodys,
        shield_secrets=secrets.shield,
        # Who asks must not change what a CDN keeps: of several it chooses itself.
        shared_reader=cors[0] if len(cors) == 1 else "",
        is_edge="edge" in chosen.names,
        edge_name=edge_name or "_",
        edge_listen=tuple(_listen(settings, tls, not name)),
        edge_secrets=secrets.edges,
        edge_required=_edge_required(settings, secrets),
    )


def media_token(algorithm: Algorithm) -> Trusted:
    """Return the regular expression of a token and its asset, with names for parts."""
    return Trusted(rf"{algorithm.id}\.{_FIELDS}{_MAC % algorithm.length}")


def _public(settings: Settings) -> SplitResult:
    """Return the address that people type, in its parts."""
    try:
        found = urlsplit(settings.portal.public_url)
        _ = found.port  # which is looked at only when it is asked for
    except ValueError as error:
        raise ConfigError(
            "nginx.value",
            f"portal.public_url must be an address as https://host: {error}.",
        ) from error
    return found


def _algorithm(name: str) -> Algorithm:
    if name not in tuple(Algorithm):
        raise ConfigError(
            "nginx.value", f"origin.token must be one of: {', '.join(Algorithm)}."
        )
    return Algorithm(name)


def _names(settings: Settings, name: str) -> Trusted | str:
    """Return what the portal's server answers to.

    Cloudflare asks for the name that viewers ask it for, on most of its plans.
    """
    through = routes.cdn(settings)
    if not name or through is None or through.vendor != "cloudflare":
        return name or "_"
    theirs = words.host("cdn.url", urlsplit(through.base).hostname or "")
    return Trusted(f"{name} {theirs}")


def _workers(value: str) -> str:
    if value != "auto" and not (value.isascii() and value.isdigit() and int(value)):
        raise ConfigError("nginx.value", "nginx.workers must be a number or auto.")
    return value


def _modules(settings: Settings, chosen: Chosen, algorithm: Algorithm) -> Iterator[str]:
    """Yield the modules that the roles need: Debian's, and the operator's own."""
    hmac = chosen.checks_tokens and algorithm is Algorithm.HMAC
    if hmac or ("objects.js" in chosen.files and settings.objects.bucket):
        yield "modules/ngx_http_js_module.so"
    if "vod" in chosen.names:
        yield just_in_time.module(settings)


def _listen(settings: Settings, tls: bool, default: bool) -> Iterator[Trusted]:
    nginx = settings.nginx
    port = (
        words.port("nginx.https_port", nginx.https_port)
        if tls
        else words.port("nginx.http_port", nginx.http_port)
    )
    ends = f"{' ssl http2' if tls else ''}{' default_server' if default else ''}"
    if nginx.address:
        yield Trusted(f"{words.address('nginx.address', nginx.address)}:{port}{ends}")
    else:
        yield Trusted(f"{port}{ends}")
        yield Trusted(f"[::]:{port}{ends}")


def _all_ports(settings: Settings, tls: bool) -> Iterator[Trusted]:
    yield from _listen(settings, tls, True)
    if tls:
        yield from _listen(settings, False, True)


def _tls_file(key: str, value: str, tls: bool) -> str:
    return words.path(key, value) if tls else ""


def _believed(certificate: str) -> bool:
    """Say whether somebody else vouches for the certificate."""
    try:
        content = Path(certificate).read_bytes()
        return not reading.described(reading.chain(content)).self_signed
    except (OSError, InvalidInput):
        # nginx says what is wrong with it, when it is asked.
        return False


def _authority(name: str, port: int) -> Trusted:
    return Trusted(name if port == 443 else f"{name}:{port}")


def _proxy_host(name: str, port: int | None) -> Trusted | str:
    """Return the Host that the application sees: one that nobody outside chooses."""
    if not name:
        return Trusted("$http_host")
    return f"{name}:{port}" if port else name


def _proxy_scheme(scheme: str) -> Trusted | str:
    return scheme if scheme in ("http", "https") else Trusted("$scheme")


def _proxy_for(edges: bool) -> Trusted:
    """Tell the application one address: that of who connected, or of who nginx knows
    stands behind a proxy that is trusted. Edges of ours, which show their secret, are
    believed too.
    """
    return Trusted("$viewer_address" if edges else "$remote_addr")


def _edge_name(settings: Settings, chosen: Chosen, portal: str) -> str:
    """Return the name of this machine's edge, which the portal beside it must not have.

    Errors: ``ConfigError``.
    """
    if "edge" not in chosen.names:
        return ""
    url = settings.edge.url
    host = urlsplit(words.origins("edge.url", url)[0]).hostname if url else ""
    if chosen.names != ("edge",) and (not portal or not host or host == portal):
        raise ConfigError(
            "nginx.value",
            "An edge beside a portal or an origin needs an address of its own: set"
            " portal.public_url and edge.url to two different hosts.",
        )
    return words.host("edge.url", host) if host else ""


def _edge_required(settings: Settings, secrets: Secrets) -> bool:
    if settings.edge.required and not secrets.edges:
        raise ConfigError(
            "edge.secret-missing",
            "edge.required is set, and there is no edge yet: run `matinee edge keys`,"
            " or set it to false.",
        )
    return settings.edge.required


def _web(settings: Settings) -> str:
    if settings.web.socket:
        return f"unix:{words.path('web.socket', settings.web.socket)}"
    port = words.port("web.port", settings.web.port)
    return f"{words.host('web.host', settings.web.host)}:{port}"


def _origins(settings: Settings) -> tuple[str, ...]:
    """Return who may read our media in a browser, if anybody but ourselves.

    Our own pages are strangers to a CDN or an edge that passes on what we say.
    """
    listed = words.origins("origin.cors_origins", settings.origin.cors_origins)
    public = _public(settings)
    if not public.hostname:
        return listed
    ours = words.origins("portal.public_url", f"{public.scheme}://{public.netloc}")
    return tuple(dict.fromkeys((*ours, *listed)))
