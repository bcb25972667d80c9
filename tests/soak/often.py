"""How often rows with kills kill: ``SOAK_KILLS=10`` makes ten times as many."""

from __future__ import annotations

import os

KILLS = int(os.environ.get("SOAK_KILLS", "1"))
