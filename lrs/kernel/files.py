"""Reads files that an operator names, up to a limit. Knows no format."""

from __future__ import annotations

from pathlib import Path

from lrs.kernel.errors import Misconfigured


def content(path: Path, most: int) -> bytes:
    """The bytes of the file at *path*. Raises ``Misconfigured`` for more than *most* bytes, and ``OSError``.

    Never reads more than that, whatever size the file reports: it may be a pipe, or grow while it is read.
    """
    with path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Misconfigured(f"{path} is larger than {most} bytes, so it cannot be the file that is expected here")
    return found
