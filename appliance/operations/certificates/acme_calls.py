"""How an ACME server is asked: signed as RFC 8555 wants it, sent as all our calls are.

The signing, nonces and messages are those of the library ``acme``; what it sends goes
through :mod:`appliance.calls`, so that proxy, authorities and limits are ours.
"""

from typing import Any

from acme import messages
from acme.client import ClientNetwork
from josepy.jwk import JWK

from appliance import __version__, calls
from appliance.outbound import Ways

_SECONDS = 45.0
_STALE = 5


class Network(ClientNetwork):
    """The library's network, over our calls; it remembers what it was told to wait."""

    def __init__(self, key: JWK, alg: Any, ways: Ways) -> None:
        super().__init__(key, alg=alg, user_agent=f"Matinee/{__version__}")
        self._ways = ways
        self.retry_after = ""

    def post(self, *args: Any, **said: Any) -> Any:
        """Send, and again where only the nonce was out of date by then.

        The library does so once, which is not enough where several servers answer.
        """
        for _ in range(_STALE):
            try:
                return self._post_once(*args, **said)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **said)

    def _send_request(self, method: str, url: str, *_: Any, **said: Any) -> Any:
        headers = {"User-Agent": self.user_agent, **said.get("headers", {})}
        body = said.get("data", "")
        answer = calls.ask(
            method,
            url,
            ways=self._ways,
            headers=headers,
            body=body.encode() if isinstance(body, str) else body,
            timeout=_SECONDS,
            service="The ACME server",
            code="acme.server",
        )
        self.retry_after = answer.headers.get("Retry-After", "")
        return calls.library_answer(answer)
