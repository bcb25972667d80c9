"""An application that does nothing: every request is answered with the same kilobyte, on the product's own server.

What it reaches is the most that any application can reach there, and shows what the load itself costs.
"""

from __future__ import annotations

import sys
from typing import Any

from lrs.kernel.garbage import collect_rarely
from lrs.serving.server import listen, server_for
from tests.bench.load import HOST

_BODY = b'{"nothing":"%s"}' % (b"x" * 1_000)
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))],
}
_REST = {"type": "http.response.body", "body": _BODY}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Any HTTP request; its body is read. Raises for anything else, which tells the server that there is no more."""
    if scope["type"] != "http":
        raise NotImplementedError
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send(_REST)


if __name__ == "__main__":
    collect_rarely()
    server_for(app).run(sockets=[listen(HOST, int(sys.argv[1]))])
