"""How the tests are collected: what nobody asked for is not read, and of what is new each worker makes ready its part.

pytest rewrites a module of tests for its messages and keeps the result beside it. Where nothing is kept yet, as in a
new checkout, that is half of the CPU of collecting; workers of pytest-xdist collect in the same order at the same time,
so each of them would do it for each module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

APART = {name: Path(__file__).parent / name for name in ("soak", "browser")}
"""Marks, and the folders in which each test has it."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Nothing of a folder is read if its tests are not asked for."""
    mark = collection_path.name
    return True if APART.get(mark) == collection_path and f"not {mark}" in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands in such a folder has its mark."""
    for item in items:
        for mark, folder in APART.items():
            if folder in item.path.parents:
                item.add_marker(mark)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Each worker rewrites every so manieth module of those that are to be collected."""
    worker = getattr(session.config, "workerinput", None)
    if worker is not None:
        for module in list(modules(session.config))[int(worker["workerid"][2:]) :: worker["workercount"]]:
            with suppress(SyntaxError):  # collecting it says where
                rewritten(module, session.config)


def modules(config: pytest.Config) -> Iterator[Path]:
    """The modules of tests, and their conftests, below what the command line names."""
    for named in config.args:
        path = Path(config.invocation_params.dir, named.partition("::")[0])
        for module in [path] if path.is_file() else sorted((*path.rglob("test_*.py"), *path.rglob("conftest.py"))):
            if not any(pytest_ignore_collect(folder, config) for folder in module.parents):
                yield module


def rewritten(module: Path, config: pytest.Config) -> bool:
    """Whether *module* had to be rewritten: what pytest finds when it imports the module is new from now on."""
    kept = rewrite.get_cache_dir(module) / f"{module.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(module, kept) is not None:  # noqa: SLF001 (pytest does this only while it imports)
        return False
    source_hash, code = rewrite._rewrite_test(module, config)  # noqa: SLF001 (as above)
    rewrite.try_makedirs(kept.parent)
    state = config.stash[rewrite.assertstate_key]
    return rewrite._write_pyc(state, code, source_hash, kept)  # noqa: SLF001 (as above)
