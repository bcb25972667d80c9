"""Installations that tests use: each is made once, beside the virtual environment, and kept for later runs."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def installed(name: str, lock: bytes, install: Callable[[Path], None]) -> Path:
    """The folder into which *install* put what *lock* names; a half-finished installation is never seen."""
    folder = Path(sys.prefix) / name / hashlib.sha256(lock).hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        install(draft)
        draft.rename(folder)
    except Exception:
        shutil.rmtree(draft)
        if not folder.exists():  # else another process was faster
            raise
    return folder
