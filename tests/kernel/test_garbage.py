"""Garbage collection in a process that loads much, and then makes and drops many small objects."""

import gc
import sys

import pytest

from lrs.kernel.garbage import load


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder for modules that nobody has loaded yet."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_collector_pauses_while_a_module_is_loaded_and_never_looks_at_it_afterwards(modules):
    (modules / "asked_once.py").write_text("import gc\nwas_on = gc.isenabled()\nkept = [[]]\n")
    frozen = gc.get_freeze_count()

    loaded = load("asked_once")

    assert (loaded.was_on, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() > frozen
    assert load("asked_once") is loaded


def test_a_module_that_cannot_be_loaded_leaves_the_collector_as_it_was(modules):
    (modules / "broken.py").write_text("raise OSError('no room')")

    with pytest.raises(OSError, match="no room"):
        load("broken")

    assert gc.isenabled()
