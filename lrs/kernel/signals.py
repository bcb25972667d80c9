"""The signals that ask a program of ours to end: from a service manager, a keyboard, a terminal that is closed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def on_ending(stop: Callable[[], object]) -> dict[signal.Signals, Any]:
    """Calls *stop* when the program is asked to end; the signals it now listens to, with what they did before.

    One that is ignored stays so: ``nohup`` has the closing of the terminal ignored.
    """
    listened = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, lambda *_: stop()) for number in listened}


@contextmanager
def interrupting() -> Iterator[None]:
    """Has each of them raise ``KeyboardInterrupt`` in the block, once: what is cleaned up then is not broken off."""

    def interrupt() -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = on_ending(interrupt)
    try:
        yield
    finally:
        for number, did in before.items():
            signal.signal(number, did)
