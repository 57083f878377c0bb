"""The origin on loopback: what a token, our settings, and TLS cost nginx.

One worker each, asked in turn. Rates are of a second of nginx's own CPU time, which on
an idle machine is what one core delivers, and hardly moves when others work too.

Two things bound what settings can do. Debian's nginx copies nothing either: with Reno
both take 65 µs for a megabyte, and only the timers by which BBR paces each call make
them differ (DECISIONS.md). And a record of TLS has 16 kB at most, which nginx gives to
the kernel one by one: what that costs without any cipher is measured too (“pieces”).
"""

import os
import re
import socket
import ssl
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appliance import settings as configuration
from tests.bench import figures, load
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.doubles.certificates import certified
from tests.host.served_nginx import ASSET, TRACK, Nginx, environment, put

_ROUNDS, _SECONDS = 9, 1
LARGE, SMALL = "large.m4s", "small.vtt"
_BYTES = {LARGE: 1_000_000, SMALL: 2_000}
_CONNECTIONS = 1000
_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def delivery(_films: Films, folder: Path) -> Iterator[Figure]:
    """Compare with and without the check, with Debian's settings, and with TLS."""
    with ExitStack() as stack:
        run = {
            name: stack.enter_context(running(folder / name, altered, **changes))
            for name, altered, changes in _SITES
        }
        rounds = [
            {
                (name, file): load.rate(
                    run[name], address(run[name], name, file), _SECONDS
                )
                for name, file in _ASKED
            }
            for _ in range(_ROUNDS)
        ]
        plain = _memory(run["md5"], secure=False)
        secure = _memory(run["tls"], secure=True)
    for name, ours, theirs, goal in _RATIOS:
        yield figure(name, rounds, ours, theirs, goal)
    yield cipher(rounds)
    note = f"MB for {_CONNECTIONS} open connections of TLS ÷ without"
    yield figures.ratio("origin: memory of connections", secure, plain, None, note)


_Altered = Callable[[Mapping[str, str]], Mapping[str, str]]


def as_it_is(files: Mapping[str, str]) -> Mapping[str, str]:
    return files


def unchecked(files: Mapping[str, str]) -> Mapping[str, str]:
    """Take the check of the token out of the location, and nothing else."""
    text = re.sub(
        r"^ *(secure_link|if \(\$secure_link).*\n",
        "",
        files["packaged.conf"],
        flags=re.M,
    )
    assert text.count("\n") == files["packaged.conf"].count("\n") - 4
    return {**files, "packaged.conf": text}


def pieces(files: Mapping[str, str]) -> Mapping[str, str]:
    """Send clear text in pieces as large as records of TLS, by no short way."""
    text, found = re.subn(
        r"sendfile on;", "sendfile off; output_buffers 1 16k;", files["nginx.conf"]
    )
    assert found == 1
    return {**files, "nginx.conf": text}


def debians(files: Mapping[str, str]) -> Mapping[str, str]:
    """Serve the same files with the settings that Debian's package comes with."""
    ours = files["nginx.conf"]
    pid, log = (
        re.search(rf"^{name} (\S+?)[; ]", ours, re.M) for name in ("pid", "error_log")
    )
    listen = re.search(r"listen [^;]+;", files["host.conf"])
    packages = re.search(r"alias (/\S+?)/\$media_asset", files["packaged.conf"])
    assert pid
    assert log
    assert listen
    assert packages
    text = Path("/etc/nginx/nginx.conf").read_text()
    text = re.sub(r"^(user|pid|include /etc/nginx/modules).*$", "", text, flags=re.M)
    text = re.sub(r"^worker_processes.*$", "worker_processes 1;", text, flags=re.M)
    text = re.sub(r"/var/log/nginx/access.log", f"{log[1]}.access", text)
    text = re.sub(r"/var/log/nginx/error.log", log[1], text)
    text = re.sub(r"^\s*include /etc/nginx/conf.d.*$", "", text, flags=re.M)
    server = f"server {{ {listen[0]} root {packages[1]}; }}"
    text, sites = re.subn(r"include /etc/nginx/sites-enabled.*", server, text)
    assert sites == 1
    user = "user root;\n" if os.geteuid() == 0 else ""
    return {**files, "nginx.conf": f"{user}pid {pid[1]};\n{text}"}


_SITES: tuple[tuple[str, _Altered, dict[str, str]], ...] = (
    ("md5", as_it_is, {}),
    ("hmac", as_it_is, {"MATINEE_ORIGIN_TOKEN": "hmac-sha256"}),
    ("unchecked", unchecked, {}),
    ("debian", debians, {}),
    ("pieces", pieces, {}),
    ("tls", as_it_is, {"MATINEE_NGINX_TLS_KEY": "tls.pem"}),
)
_ASKED = (
    ("md5", LARGE),
    ("unchecked", LARGE),
    ("debian", LARGE),
    ("pieces", LARGE),
    ("tls", LARGE),
    ("hmac", LARGE),
    ("unchecked", SMALL),
    ("md5", SMALL),
    ("hmac", SMALL),
)
_Pair = tuple[str, str]
_RATIOS: tuple[tuple[str, _Pair, _Pair, float | None], ...] = (
    ("origin: token, 1 MB", ("md5", LARGE), ("unchecked", LARGE), 0.97),
    ("origin: token, 2 kB", ("md5", SMALL), ("unchecked", SMALL), 0.93),
    ("origin: Debian's, 1 MB", ("md5", LARGE), ("debian", LARGE), 1.5),
    ("origin: TLS, 1 MB", ("tls", LARGE), ("md5", LARGE), 0.55),
    ("origin: TLS, 1 MB, ÷ Debian's", ("tls", LARGE), ("debian", LARGE), 0.55),
    ("origin: TLS, 1 MB, ÷ pieces", ("tls", LARGE), ("pieces", LARGE), None),
    ("origin: HMAC by njs, 1 MB", ("hmac", LARGE), ("md5", LARGE), None),
    ("origin: HMAC by njs, 2 kB", ("hmac", SMALL), ("md5", SMALL), None),
)


@contextmanager
def running(
    home: Path,
    altered: _Altered,
    prepare: Callable[[Path], object] = lambda _keys: None,
    /,
    **changes: str,
) -> Iterator[Nginx]:
    """Run one with two files; ``prepare`` is given the folder of its keys."""
    home.mkdir(parents=True)
    if "MATINEE_NGINX_TLS_KEY" in changes:
        pem = home / changes["MATINEE_NGINX_TLS_KEY"]
        pem.write_bytes(certified("127.0.0.1"))
        changes = {
            "MATINEE_NGINX_TLS_KEY": str(pem),
            "MATINEE_NGINX_TLS_CERTIFICATE": str(pem),
        }
    settings = configuration.load(environ=environment(home, **changes))
    for name, size in _BYTES.items():
        put(settings, name, os.urandom(size))
    prepare(settings.keys)
    nginx = Nginx(settings, ("origin",), altered)
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()


def address(nginx: Nginx, name: str, file: str) -> str:
    inside = f"{ASSET}/tracks/{TRACK}/{file}"
    if name in ("debian", "cache"):
        return f"{nginx.url}/{inside}"
    base = nginx.secure_url if name == "tls" else nginx.url
    return f"{base}/media/{nginx.token(seconds=7200)}/{inside}"


def figure(
    name: str,
    rounds: list[dict[_Pair, load.Rate]],
    ours: _Pair,
    theirs: _Pair,
    goal: float | None,
) -> Figure:
    """Return the median of the rounds' ratios, with both rates for a second of CPU."""
    large = ours[1] == LARGE
    unit, scale = ("GB/s", 1e-9 * _BYTES[LARGE]) if large else ("requests/s", 1.0)
    ratios = [each[ours].cpu / each[theirs].cpu for each in rounds]
    clock = statistics.median(each[ours].wall / each[theirs].wall for each in rounds)
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
    return Figure(
        name=name,
        ours=round(statistics.median(each[ours].cpu for each in rounds) * scale, 3),
        reference=round(
            statistics.median(each[theirs].cpu for each in rounds) * scale, 3
        ),
        ratio=round(statistics.median(ratios), 4),
        goal=goal,
        better="higher",
        note=f"{unit} of a CPU second, {ours[0]} ÷ {theirs[0]}; {spread};"
        f" by the clock {clock:.2f}; {_CONTROL.read_text().strip()}",
    )


def cipher(rounds: list[dict[_Pair, load.Rate]]) -> Figure:
    """Return how near TLS comes to what the cipher alone would let through."""
    size = 16384  # of a record
    said = figures.run(f"openssl speed -evp aes-128-gcm -bytes {size} -seconds 1")
    alone = float(said.split()[-1].rstrip(b"k")) * 1e-6
    ours = statistics.median(each["tls", LARGE].cpu for each in rounds) * 1e-3
    note = "GB/s of a CPU second, TLS ÷ AES-128-GCM in memory: the most there can be"
    return figures.ratio("origin: TLS ÷ cipher", ours, alone, None, note, "higher")


def _memory(nginx: Nginx, *, secure: bool) -> float:
    """Return how many MB a worker grows by a thousand connections that are in use."""
    port = nginx.settings.nginx.https_port if secure else nginx.settings.nginx.http_port
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    worker = load.worker(nginx)
    path = address(nginx, "md5", SMALL).removeprefix(nginx.url)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    before = load.resident(worker)
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            each = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            if secure:
                each = stack.enter_context(context.wrap_socket(each))
            each.sendall(request)
            assert each.recv(65536)
        return (load.resident(worker) - before) / 1e6
