"""Where the time goes: the xAPI edge driven in process, without HTTP, under cProfile; every thread by itself.

A profile makes Python code look dearer than what runs in C, so it shows proportions, not times. What waits shows too: a
call into C that lets go of the interpreter's lock (a system call, SQLite) has to get it back from the other threads.
"""

from __future__ import annotations

import asyncio
import base64
import cProfile
import io
import pstats
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import uvloop

from lrs.access.keys import create_key
from lrs.app import Application, create_app
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import DEFAULT
from tests.bench.rows import busy_pairs, query_path
from tests.bench.statements import statements

TOP = 20
FEW = 7
LEAST = 1.0
"""Microseconds a request; threads that took less did nothing."""
READERS = 16
_ROOT = str(Path(__file__).resolve().parents[2])


class Part(NamedTuple):
    """What was done in one kind of thread for *count* requests."""

    title: str
    profiles: Sequence[cProfile.Profile]
    count: int


def profile(folder: Path, count: int) -> str:
    """The dearest functions of *count* POSTs from 16 callers, then of *count* queries, as text."""
    return "\n".join(_report(part) for part in _measured(folder, count))


def shares(folder: Path, count: int) -> list[tuple[str, str]]:
    """For each kind of thread, the functions that take most of its time, and their shares, in a line."""
    return [(f"profile, {part.title}", text) for part in _measured(folder, count) if (text := _shares(part))]


def _measured(folder: Path, count: int) -> list[Part]:
    app = create_app(Settings(data=folder / "profiled", worker=False))
    threads: list[cProfile.Profile] = []

    def in_thread(*_: object) -> None:
        one = cProfile.Profile()
        try:
            one.enable()
        except ValueError:  # Python 3.12 and later profile one thread at a time
            return
        threads.append(one)

    threading.setprofile(in_thread)
    try:
        tenant = app.tenants.take(DEFAULT)
        assert tenant is not None
        key = create_key(tenant, "profile", ["all"])
        headers = _headers(f"{key.key}:{key.secret}")
        posts = [(_scope("POST", "statements", headers), made.raw) for made in statements(count)]
        posted = _under_profile(app, posts, 16)
        writer = list(threads)
        gets = [(_scope("GET", query_path(pair), headers), b"") for pair in busy_pairs() * (count // 100)]
        got = _under_profile(app, gets, 1)
        readers = threads[len(writer) :]
    finally:
        threading.setprofile(None)
        app.tenants.close()
    return [
        Part("POST, loop", [posted], count),
        Part("POST, writer", writer, count),
        Part("GET, loop", [got], len(gets)),
        Part("GET, readers", readers, len(gets)),
    ]


def _under_profile(
    app: Application, requests: Sequence[tuple[dict[str, Any], bytes]], callers: int
) -> cProfile.Profile:
    one = cProfile.Profile()
    one.enable()
    try:
        uvloop.run(_drive(app, iter(requests), callers))
    finally:
        one.disable()
    return one


async def _drive(app: Application, requests: Iterator[tuple[dict[str, Any], bytes]], callers: int) -> None:
    with ThreadPoolExecutor(READERS) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        await asyncio.gather(*(_call(app, requests) for _ in range(callers)))


async def _call(app: Application, requests: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    for scope, content in requests:
        statuses: list[int] = []

        async def receive(content: bytes = content) -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any, statuses: list[int] = statuses) -> None:
            if "status" in message:
                statuses.append(message["status"])

        await app(scope, receive, send)
        if statuses != [200]:
            raise RuntimeError(f"{scope['method']} {scope['path']} was answered {statuses}")


def _headers(credentials: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"localhost"),
        (b"authorization", b"Basic " + base64.b64encode(credentials.encode())),
        (b"x-experience-api-version", b"1.0.3"),
        (b"content-type", b"application/json"),
    ]


def _scope(method: str, target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": f"/xapi/{unquote(path)}",
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }


def _report(part: Part) -> str:
    text = io.StringIO()
    stats = _stats(part, text)
    if stats is None:
        return f"== {part.title}: not measured (Python 3.12 and later profile one thread at a time)\n"
    stats.sort_stats("tottime").print_stats(TOP)
    total = stats.total_tt / part.count * 1e6
    shown = text.getvalue().replace(_ROOT + "/", "").partition("ncalls")[2]
    said = f"{total:.0f} us a request under the profiler, {part.count} requests"
    return f"== {part.title}: {said}\n   ncalls{shown.rstrip()}\n"


def _shares(part: Part) -> str:
    stats = _stats(part, io.StringIO())
    if stats is None or stats.total_tt / part.count * 1e6 < LEAST:
        return ""
    dearest = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:FEW]
    return ", ".join(f"{own / stats.total_tt:.0%} {_name(place)}" for place, (_, _, own, *_) in dearest)


def _name(place: tuple[str, int, str]) -> str:
    file, _, function = place
    return function.strip("{}<>").replace("built-in method ", "") if file == "~" else f"{Path(file).stem}.{function}"


def _stats(part: Part, text: io.StringIO) -> Any:
    """What was measured; ``None`` if nothing was."""
    for one in part.profiles:
        one.disable()
        one.create_stats()
    kept = [one for one in part.profiles if one.stats]
    return pstats.Stats(*kept, stream=text) if kept else None
