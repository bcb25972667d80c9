"""Multipart bodies as clients write them, byte by byte, and answers with attachments taken apart."""

import json
from hashlib import sha256

from tests.served import new_id, statement

USAGE = "https://example.org/usage"


def attached(*contents, **more):
    """A statement with an attachment for each of *contents*."""
    return statement(
        id=new_id(),
        attachments=[
            {
                "usageType": USAGE,
                "display": {"en": "a file"},
                "contentType": "application/x-file",
                "length": len(content),
                "sha2": sha256(content).hexdigest(),
            }
            | more
            for content in contents
        ],
    )


def part(content, **headers):
    """The bytes of one attachment's part; a header of ``None`` is left out."""
    told = {
        "Content-Type": "application/x-file",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha256(content).hexdigest(),
    }
    told.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{name}: {value}\r\n".encode() for name, value in told.items() if value is not None]
    return b"".join(lines) + b"\r\n" + content


def first(body, type="application/json"):
    """The bytes of the part with the statements."""
    return f"Content-Type: {type}\r\n\r\n".encode() + json.dumps(body).encode()


def mixed(*parts, boundary="the-boundary"):
    """A whole multipart body."""
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"


def send(lrs, body, *, type="multipart/mixed; boundary=the-boundary", **more):
    return lrs.post(body, type=type, **more)


def fetched(lrs, **params):
    """Headers and parts of an answer with attachments: for each part its headers by name, and its data."""
    answer = lrs.get(attachments="true", **params)
    assert answer.status_code == 200
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/mixed"
    line = f"--{boundary}".encode()
    assert answer.content.startswith(line + b"\r\n")
    assert answer.content.endswith(b"\r\n" + line + b"--\r\n")
    found = []
    for one in answer.content[: -len(line) - 4].split(line + b"\r\n")[1:]:
        head, _, data = one.partition(b"\r\n\r\n")
        found.append((dict(row.split(": ", 1) for row in head.decode().split("\r\n")), data.removesuffix(b"\r\n")))
    return found
