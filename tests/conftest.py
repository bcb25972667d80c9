"""Fixtures every folder may use: a clock that is set by hand, and a store on each engine.

MongoDB is stood in for by SecantusDB, which is started as a child once a session; ``LRS_TEST_MONGO_URL`` (an address
without a database) points the same tests at a real one.
"""

from __future__ import annotations

import functools
import inspect
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import httpx._transports.default as httpx_transports
import pymongo
import pymongo.errors
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import settings
from pymongo import monitoring

from lrs.kernel.connections import TIMER
from lrs.kernel.garbage import collect_rarely
from lrs.storage import Record, Store, open_store
from lrs.storage.mongo.tx import MongoTx
from lrs.storage.sqlite.tx import SqliteTx
from tests import collecting, cost
from tests.prepared import prepared
from tests.round_trips import Heard

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.served import Lrs

settings.register_profile("engraft", deadline=None)  # times are measured by make bench and make soak, not here
settings.load_profile("engraft")

_patience = inspect.signature(httpx.request).parameters["timeout"].default
"""What every call of httpx waits where a test says nothing: five seconds, which a busy machine may need for itself."""
_patience.connect = _patience.read = _patience.write = _patience.pool = 60.0

httpx_transports.create_ssl_context = functools.cache(httpx_transports.create_ssl_context)
"""Each client of httpx loads the certificate authorities, 25 ms of CPU, also one that asks over plain HTTP."""


def _a_key_of_a_few(generate: Callable[..., RSAPrivateKey]) -> Callable[..., RSAPrivateKey]:
    """*generate*, which makes twelve RSA keys of each kind, and then gives them in turn: one takes 80 ms of CPU."""
    made: dict[object, list[RSAPrivateKey]] = defaultdict(list)
    turns: Counter[object] = Counter()

    @functools.wraps(generate)
    def give(public_exponent: int, key_size: int, backend: object = None) -> RSAPrivateKey:
        kind = (public_exponent, key_size)
        if len(made[kind]) < TWELVE:
            made[kind].append(generate(public_exponent, key_size, backend))
            return made[kind][-1]
        turns[kind] += 1
        return made[kind][turns[kind] % TWELVE]

    return give


TWELVE = 12
rsa.generate_private_key = _a_key_of_a_few(rsa.generate_private_key)

_lines = structlog.get_config()["processors"][-1]
_lines.exception_formatter = structlog.dev.plain_traceback  # by default rich's, with all values: up to a second each

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False  # hundreds of tests start a process, which would compile all of the product each time

_IN_MEMORY = Path("/dev/shm")
if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > 4_000_000_000:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))  # a commit waits for no disk there

STAND_IN = (sys.executable, "-P", str(Path(__file__).with_name("stand_in.py")))
"""The program that stands in for MongoDB. It is given a folder."""

START = 1_795_000_000_000_000
"""2026-11-18T11:06:40Z: what the clock says when a test begins."""


def pytest_configure(config: pytest.Config) -> None:
    """How the tests are collected, and what they cost, which is told at the end."""
    for plugin in (collecting, cost):
        config.pluginmanager.register(plugin, plugin.__name__)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Refuses the values of a set: each worker of pytest-xdist would collect them in an order of its own."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if isinstance(mark.args[1], set | frozenset):
            raise pytest.UsageError(f"{metafunc.definition.nodeid}: parametrize by sorted(...), a set has no order")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cases on MongoDB of what is marked ``mongo_in_soak`` take minutes together: they are for ``make soak``."""
    for item in items:
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if item.get_closest_marker("mongo_in_soak") and any("mongo" in str(given) for given in params.values()):
            item.add_marker("soak")


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look at it again and again, an eighth of all the time."""
    collect_rarely()


class SetClock:
    """A clock that stands still until it is set; times are microseconds UTC."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, *, seconds: float = 0, micros: int = 0) -> int:
        """Moves it on, or back with a negative number, and tells the new time."""
        self.now += int(seconds * 1_000_000) + micros
        return self.now


@pytest.fixture(scope="session", autouse=True)
def programs_are_prepared(request: pytest.FixtureRequest) -> Iterator[None]:
    """``lrs`` as a process is forked, but where processes are measured or a browser waits for them."""
    if "not soak" not in request.config.option.markexpr:
        yield
        return
    with ExitStack() as stack:
        stack.enter_context(prepared())
        yield
        with cost.counted_apart("the process that forks lrs"):
            stack.close()


@pytest.fixture(scope="session", autouse=True)
def hasher_in_use() -> Iterator[Any]:
    """How passwords are hashed. Tests hash with the least that argon2 allows: a tenth of a second less each time."""
    from lrs.access import passwords  # noqa: PLC0415 (tests of one part need not load it)

    with pytest.MonkeyPatch.context() as patch:
        in_use = passwords._HASHER  # noqa: SLF001 (nothing else is to be changed by whoever uses it)
        patch.setattr(passwords, "_HASHER", type(in_use)(time_cost=1, memory_cost=8, parallelism=1))
        yield in_use


MADE_UP = frozenset({"thing", "other", "document", "new", "part", "undone"})
"""Kinds that tests of the store make up: it knows none."""
FORMER = frozenset({"forward"})
"""Kinds of before that are only read, to bring them forward."""


@pytest.fixture(scope="session", autouse=True)
def kinds_are_declared() -> Iterator[None]:
    """Whatever kind the tests of this process write is declared in ``lrs.composition.kinds``, or made up here."""
    first: dict[str, str] = {}
    engines = (SqliteTx, MongoTx)
    inserts = [engine.insert for engine in engines]
    for engine, insert in zip(engines, inserts, strict=True):
        engine.insert = _noting(insert, first)
    yield
    for engine, insert in zip(engines, inserts, strict=True):
        engine.insert = insert
    from lrs.composition.kinds import CONTROL, TENANT  # noqa: PLC0415 (tests of one part need not load the whole application)

    unknown = {kind: test for kind, test in first.items() if kind not in {*TENANT, *CONTROL, *MADE_UP, *FORMER}}
    assert not unknown, f"kinds that were written and are not declared, and the first test that wrote each: {unknown}"


def _noting(insert: Callable[[Any, Record], Record], first: dict[str, str]) -> Callable[[Any, Record], Record]:
    def noting(tx: Any, record: Record) -> Record:
        if record.kind not in first:
            first[record.kind] = os.environ.get("PYTEST_CURRENT_TEST", "a thread between two tests")
        return insert(tx, record)

    return noting


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """Processes that the test starts hear SIGHUP and SIGINT, also in a run that is under nohup or in the background."""
    usual = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    kept = {number: signal.getsignal(number) for number in usual}
    for number, handler in kept.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, usual[number])
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MongoDB, without a database."""
    given = os.environ.get("LRS_TEST_MONGO_URL")
    if given:
        try:
            with pymongo.MongoClient(given, serverSelectionTimeoutMS=5_000) as client:
                client.admin.command("ping")
        except pymongo.errors.PyMongoError as error:
            pytest.fail(f"LRS_TEST_MONGO_URL is set and nothing answers there: {error}")
        yield given
        return
    folder = tmp_path_factory.mktemp("secantus")
    command = [*STAND_IN, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            address = child.stdout.readline().decode().strip()
            if not address:
                _cannot_run(child)
            yield address
        finally:
            with cost.counted_apart("the stand-in for MongoDB"):
                child.terminate()
                child.wait()


def _cannot_run(child: subprocess.Popen[bytes]) -> None:
    assert child.stderr is not None
    reason = f"SecantusDB does not run here: {child.stderr.read().decode()[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def mongo_client(mongo_server: str) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    """A client of the tests' own, to look behind the store."""
    with pymongo.MongoClient(mongo_server) as client:
        yield client


@pytest.fixture
def mongo_url(mongo_server: str, mongo_client: pymongo.MongoClient[dict[str, Any]]) -> Iterator[str]:
    """A database of its own, dropped afterwards."""
    name = f"lrs_test_{secrets.token_hex(6)}"
    yield urlsplit(mongo_server)._replace(path=f"/{name}").geturl()
    mongo_client.drop_database(name)


@pytest.fixture(scope="session")
def heard() -> Heard:
    """What MongoDB is asked by clients that are made after this."""
    listener = Heard()
    monitoring.register(listener)
    return listener


@pytest.fixture(params=["sqlite", "mongo"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Where a new, empty store may be: the line that runs a test on every engine."""
    if request.param == "mongo":
        return str(request.getfixturevalue("mongo_url"))
    return f"sqlite:///{request.getfixturevalue('tmp_path')}/lrs.db"


@pytest.fixture(scope="module", params=["sqlite", "mongo"])
def shared_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As ``store_url``, once for all cases of a module that only read."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('shared')}/lrs.db"
        return
    server, client = request.getfixturevalue("mongo_server"), request.getfixturevalue("mongo_client")
    name = f"lrs_test_{secrets.token_hex(6)}"
    yield urlsplit(server)._replace(path=f"/{name}").geturl()
    client.drop_database(name)


@pytest.fixture(scope="session")
def ending() -> Iterator[list[threading.Thread]]:
    """Threads of PyMongo that were told to end, and do when they next wake: looked at once, after all tests."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(timeout=60)
    assert not [thread.name for thread in threads if thread.is_alive()]


@pytest.fixture
def store(store_url: str, clock: SetClock, ending: list[threading.Thread]) -> Iterator[Store]:
    """An empty store on each engine; no thread of it may be left once it is closed."""
    before = set(threading.enumerate())
    opened = open_store(store_url, clock=clock, secret=bytes(32))
    yield opened
    opened.close()
    left = {thread for thread in set(threading.enumerate()) - before if not thread.name.startswith(("deliver", TIMER))}
    ending.extend(thread for thread in left if thread.name.startswith("pymongo_"))
    assert not [thread.name for thread in left if not thread.name.startswith("pymongo_")]


@pytest.fixture(scope="session")
def lrs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lrs]:
    """One server for all tests that ask over HTTP: each uses agents, activities and ids of its own."""
    from tests.served import serving  # noqa: PLC0415 (tests of one part need not load the whole application)

    with serving(tmp_path_factory.mktemp("lrs")) as served:
        yield served


@pytest.fixture(scope="session")
def lrs_on_mongo(tmp_path_factory: pytest.TempPathFactory, mongo_server: str) -> Iterator[Lrs]:
    """The same on MongoDB."""
    from tests.served import serving  # noqa: PLC0415 (as above)

    name = f"lrs_test_{secrets.token_hex(6)}"
    url = urlsplit(mongo_server)._replace(path=f"/{name}").geturl()
    with serving(tmp_path_factory.mktemp("lrs"), store_url=url) as served:
        yield served


@pytest.fixture(params=["lrs", "lrs_on_mongo"], ids=["sqlite", "mongo"])
def each_lrs(request: pytest.FixtureRequest) -> Lrs:
    """A server on each engine."""
    served: Lrs = request.getfixturevalue(request.param)
    return served
