"""A CDN made of a real nginx with ``proxy_cache``, which can be set up wrongly.

It checks what Fastly's VCL checks, by nginx's own JavaScript, or our own token by
secure_link; and it keeps what the origin gives it under the same address for everybody.
"""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.host.served_nginx import free_port, settled

_MODULE = "/usr/lib/nginx/modules/ngx_http_js_module.so"

_SCRIPT = """
import crypto from 'crypto';
const KEY = Buffer.from('@key@', 'base64');
const TOKEN = /^token=([0-9]{10})_([0-9a-f]{40})$/;

function verdict(r) {
    const found = TOKEN.exec(r.variables.args || '');
    if (!found) {
        return '403';
    }
    const folder = '/media/' + r.variables.asset + '/' + r.variables.scope + '/';
    const mac = crypto.createHmac('sha1', KEY).update(folder + found[1]).digest('hex');
    if (mac !== found[2]) {
        return '403';
    }
    return Date.now() / 1000 > Number(found[1]) ? '410' : '';
}

export default { verdict };
"""

_WHOLE = """
daemon off;
worker_processes 1;
@user@
pid @folder@/pid;
error_log @folder@/error.log warn;
load_module @module@;
events { worker_connections 256; }
http {
    access_log off;
    js_path @folder@;
    js_import check from check.js;
    js_set $verdict check.verdict;
    proxy_temp_path @folder@/temp;
    client_body_temp_path @folder@/body;
    fastcgi_temp_path @folder@/fastcgi;
    uwsgi_temp_path @folder@/uwsgi;
    scgi_temp_path @folder@/scgi;
    proxy_cache_path @folder@/kept levels=1 keys_zone=cdn:1m use_temp_path=off;
    map $http_origin $reader { default ""; "@reader@" $http_origin; }
    server {
        listen 127.0.0.1:@port@;
        proxy_http_version 1.1;
        proxy_set_header Host @host@;
        proxy_set_header Connection "";
        proxy_set_header X-Origin-Secret @secret@;
        proxy_set_header Cookie "";
        proxy_set_header Origin "";
        proxy_hide_header Access-Control-Allow-Origin;
        @films@
        location ~ ^/media/.*/key/ { @keys@ }
        location / { @elsewhere@ }
    }
}
"""

_SIGNED = """
        location ~ "^/media/(?<asset>\\w{16})/(?<scope>all|h\\d+)/@file@$" {
            @checks@
            proxy_pass @origin@/media/$asset/$scope/$file;
            proxy_ignore_headers Vary Set-Cookie;
            @serve@
        }
"""
_CHECKS_SIGNED = """
            if ($verdict = "403") { return 403; }
            if ($verdict = "410") { return 410; }
"""

# What was pushed lies in a bucket; whatever does not is asked of the origin. That the
# bucket says 403 is no refusal of the CDN's own: so the question to it stands apart.
_PUSHED = """
        location ~ "^/media/(?<asset>\\w{16})/(?<scope>all)/(?<file>tracks/.+)$" {
            @checks@
            recursive_error_pages on;
            error_page 418 = @pushed;
            return 418;
        }
        location @pushed {
            proxy_pass @bucket@/media/$asset/all/$file;
            proxy_set_header Host @bucket_host@;
            proxy_set_header X-Origin-Secret "";
            proxy_set_header Connection "";
            proxy_intercept_errors on;
            recursive_error_pages on;
            error_page 403 404 500 502 503 504 = @pulled;
            # The server of the tests forgets Cache-Control, which S3 keeps.
            proxy_cache_valid 200 1h;
            @serve@
        }
        location @pulled {
            proxy_pass @origin@/media/$asset/all/$file;
            proxy_ignore_headers Vary Set-Cookie;
            @serve@
        }
"""
_OWN = """
        location ~ "^/media/2\\.@fields@\\.(?<mac>.{22})/(?<asset>\\w{16})/@file@$" {
            @checks@
            proxy_pass @origin@;
            proxy_ignore_headers Cache-Control Vary Set-Cookie;
            proxy_cache_valid 200 10s;
            @serve@
        }
"""
_FIELDS = r"(?<kid>\d+)\.(?<ends>\d{10})\.(?<session>\w{16})\.(?<scope>all|h\d+)"
_CHECKS_OWN = """
            secure_link $mac,$ends;
            secure_link_md5 "@media@ 2 $kid $asset $ends $session $scope @media@";
            if ($secure_link = "") { return 403; }
            if ($secure_link = "0") { return 410; }
"""

_SERVE = """
            @cache@
            proxy_cache_key @cache_key@;
            proxy_cache_lock on;
            @cors@
            @tells@
            @more@
"""


@dataclass(frozen=True)
class Setup:
    """What an operator may get wrong; this is all of it right."""

    checks: bool = True
    key: str = '"$asset $scope $file"'
    cache: str = "proxy_cache cdn;"
    cors: str = "add_header Access-Control-Allow-Origin $reader always;"
    elsewhere: str = "return 403;"
    keys: str = "return 403;"
    more: str = ""
    tells: str = "add_header X-Cache $upstream_cache_status always;"


RIGHT = Setup()


@dataclass
class Cdn:
    """One CDN; ``secret`` is what it shows the origin, ``bucket`` where films lie."""

    home: Path
    origin: str
    secret: str = field(repr=False)
    token_key: str = field(repr=False)
    media_secret: str = field(repr=False)
    own: bool = False
    bucket: str = ""
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self, setup: Setup = RIGHT) -> Iterator[None]:
        """Run it set up like that, with an empty cache."""
        self.home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="cdn-", dir=self.home))
        script = _SCRIPT.replace("@key@", self.token_key)
        (folder / "check.js").write_text(script)
        (folder / "nginx.conf").write_text(self._configuration(folder, setup))
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(
                ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")],
                env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
                stdin=subprocess.DEVNULL,
                stderr=said,
            )
        try:
            settled(partial(self._listens, process, folder / "said"), "the CDN")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def _listens(self, process: subprocess.Popen[bytes], said: Path) -> bool:
        assert process.poll() is None, said.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _configuration(self, folder: Path, setup: Setup) -> str:
        films = _OWN if self.own else _SIGNED
        checks = _CHECKS_OWN if self.own else _CHECKS_SIGNED
        words = {
            "films": (_PUSHED if self.bucket else "") + films,
            "fields": _FIELDS,
            "file": "(?<file>(?!key/).+)",
            "checks": checks if setup.checks else "",
            "serve": _SERVE,
            "cache": setup.cache,
            "cache_key": setup.key,
            "cors": setup.cors,
            "tells": setup.tells,
            "more": setup.more,
            "keys": setup.keys,
            "elsewhere": setup.elsewhere,
            "media": self.media_secret,
            "user": "user root;" if os.geteuid() == 0 else "",
            "folder": str(folder),
            "bucket_host": self.bucket.split("/")[2] if self.bucket else "",
            "bucket": self.bucket,
            "module": _MODULE,
            "reader": self.origin,
            "port": str(self.port),
            "host": self.origin.removeprefix("http://"),
            "secret": self.secret,
            "origin": self.origin,
        }
        text = _WHOLE
        for name, value in words.items():
            text = text.replace(f"@{name}@", value)
        return text
