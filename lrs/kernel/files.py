"""Files that an operator names, read with a limit. Knows nothing of what is in them."""

from __future__ import annotations

from pathlib import Path

from lrs.kernel.errors import Misconfigured


def content(path: Path, most: int) -> bytes:
    """The bytes of the file at *path*, at most *most*. Raises ``Misconfigured`` for a longer one, and ``OSError``.

    No more than that is read, whatever the file says of its size: it may be a pipe or grow meanwhile.
    """
    with path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Misconfigured(f"{path} is larger than {most} bytes: it is no file of this kind")
    return found
