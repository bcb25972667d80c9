"""Programs of ours that run as long as a block lasts."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import pytest

from lrs.kernel import processes
from lrs.kernel.processes import running

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize(("first", "end"), [("pass", signal.SIGTERM), (DEAF, signal.SIGKILL)])
def test_a_program_ends_with_its_block_also_if_it_does_not_listen_and_if_the_block_fails(monkeypatch, first, end):
    monkeypatch.setattr(processes, "LAST_WORDS", 0.05 if first == DEAF else 60)
    command = [sys.executable, "-S", "-c", f"{first}; import time; print('there', flush=True); time.sleep(60)"]

    with suppress(ZeroDivisionError), running(command) as process:
        assert process.stdout.readline() == "there\n"
        raise ZeroDivisionError

    assert process.returncode == -end
