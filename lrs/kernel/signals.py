"""The signals that ask a program to end: from a service manager, the keyboard, or a terminal that is closed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def on_ending(stop: Callable[[], object]) -> dict[signal.Signals, Any]:
    """Calls *stop* when the program is asked to end. Gives the former handlers by signal.

    A signal that is ignored stays ignored: ``nohup`` sets SIGHUP to be ignored.
    """
    listened = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, lambda *_: stop()) for number in listened}


@contextmanager
def interrupting() -> Iterator[None]:
    """Makes the first of these signals raise ``KeyboardInterrupt`` in the block.

    Later ones are ignored during the clean-up.
    """

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
