"""Stands in for nginx-vod-module, which the operator brings and this house does not.

It sits behind the same locations: nginx checks, rewrites and asks as it would with the
module, which is replaced by a proxy to this double; and the double asks the same
addresses as the module does, and judges the answers as it judges them (status, JSON,
sizes). Its answer is what the module would have packaged, and with what.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

_FILE = re.compile(
    r"/(?P<how>clear|cenc)/[0-9a-f]{16}/[0-9a-f]{16}/"
    r"(?:init|fragment-(?P<number>[1-9][0-9]*))-(?P<stream>[va]1)-x3\.(?:mp4|m4s)"
)
_SECONDS = 30
_LARGEST = 64 * 1024
_ASKS = {
    "vod_media_set_map_uri": "X-Double-Map",
    "vod_drm_request_uri": "X-Double-Drm",
    "vod_secret_key": "X-Double-Seed",
}


def in_place(files: Mapping[str, str], double: str) -> dict[str, str]:
    """Return a configuration for an nginx without the module: it asks the double."""
    found = dict(files)
    found["film_module.conf"] = ""
    found["films.conf"] = _without_module(files["films.conf"], double)
    found["nginx.conf"] = re.sub(r"load_module \S*vod\S*;\n", "", files["nginx.conf"])
    return found


def _without_module(text: str, double: str) -> str:
    # What the module refuses is nginx's own answer, with its words.
    handler = f"proxy_pass {double}; proxy_intercept_errors on;"
    text = text.replace("vod dash;", handler)
    for directive, header in _ASKS.items():
        text = re.sub(rf"\b{directive} (.*);", rf"proxy_set_header {header} \1;", text)
    return re.sub(r"^\s*vod_\w+ .*;\n", "", text, flags=re.MULTILINE)


class VodModule:
    """``makings`` is where it asks, ``secret`` what nginx would show there for it."""

    def __init__(self, makings: str, secret: str) -> None:
        self.makings, self.secret = makings, secret

    def __call__(self, request: Request) -> Response:
        asked = _FILE.fullmatch(request.path)
        if asked is None:
            return Response(f"no such file: {request.path}", 400)
        mapping = self._ask(request.headers["X-Double-Map"])
        if isinstance(mapping, Response):
            return mapping
        (sequence,) = mapping["sequences"]
        (clip,) = sequence["clips"]
        if clip["tracks"] != asked["stream"]:
            return Response("no matching streams", 400)
        told: dict[str, Any] = {
            "how": asked["how"],
            "segment": int(asked["number"] or 0),
            "path": clip["path"],
        }
        if "X-Double-Drm" in request.headers:
            keys = self._ask(request.headers["X-Double-Drm"])
            if isinstance(keys, Response):
                return keys
            (key,) = keys
            told |= {"key_id": key["key_id"], "key": key["key"]}
            told["seed"] = request.headers["X-Double-Seed"]
        return Response(json.dumps(told), mimetype="video/mp4")

    def _ask(self, address: str) -> Any:
        answer = requests.get(
            f"{self.makings}{address}",
            headers={
                "X-Matinee-Internal": self.secret,
                "Range": f"bytes=0-{_LARGEST - 1}",
            },
            timeout=_SECONDS,
        )
        if answer.status_code not in (200, 206):
            return Response("upstream", 502)
        if not answer.content:
            return Response("not found", 404)
        if len(answer.content) > _LARGEST or "Content-Encoding" in answer.headers:
            return Response("too large or packed", 502)
        try:
            return answer.json()
        except ValueError:
            return Response("bad JSON", 503)
