"""Garbage collection for a process that makes and drops many small objects."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType

OBJECTS_A_ROUND = 50_000
"""New objects between two runs of the collector. At Python's default of 700 the runs took 7 % of the serving thread's
time; at this number they take a tenth of that.
"""


def load(name: str) -> ModuleType:
    """The module *name*.

    The collector pauses while it is loaded, and never looks at it afterwards: it finds next to nothing there, and would
    take a fifth of a start.
    """
    if name not in sys.modules:
        gc.disable()
        try:
            import_module(name)
        finally:
            gc.enable()
        collect_rarely()
    return sys.modules[name]


def collect_rarely() -> None:
    """Lets the collector run rarely, and never look at the objects that exist by now: call it once all is loaded."""
    gc.freeze()
    gc.set_threshold(OBJECTS_A_ROUND, 20, 50)
