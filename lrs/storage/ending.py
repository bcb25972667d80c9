"""Ends the process after a failed fsync, because it is not known what was stored. Knows no store."""

from __future__ import annotations

import os
import sys


def end_process(message: str) -> None:
    """Ends this process at once with 74 (EX_IOERR), so that no write is answered wrongly."""
    sys.stderr.write(f"lrs: the store failed and this process ends, so that no write is answered wrongly: {message}\n")
    sys.stderr.flush()
    os._exit(74)
