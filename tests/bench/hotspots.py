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
from typing import Any
from urllib.parse import unquote

import uvloop

from lrs.auth.basic import Door
from lrs.auth.keys import create_key
from lrs.control import Tenants
from lrs.metrics import Requests
from lrs.settings import Settings
from lrs.storage import wall_clock
from lrs.tenants import DEFAULT
from lrs.xapi import Endpoint
from tests.bench.rows import busy_pairs, query_path
from tests.bench.statements import statements

TOP = 20
READERS = 16
_ROOT = str(Path(__file__).resolve().parents[2])


def profile(folder: Path, count: int) -> str:
    """The dearest functions of *count* POSTs from 16 callers, then of *count* queries, as text."""
    tenants = Tenants(Settings(data=folder / "profiled"), wall_clock)
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
        tenant = tenants.get(DEFAULT)
        assert tenant is not None
        key = create_key(tenant, "profile", ["all"])
        headers = _headers(f"{key.key}:{key.secret}")
        endpoint = Endpoint(tenants, tenant.settings, Door(), Requests())
        posts = [(_scope("POST", "statements", headers), made.raw) for made in statements(count)]
        posted = _under_profile(endpoint, posts, 16)
        writer = list(threads)
        reports = [_report("POST, loop", [posted], count), _report("POST, writer", writer, count)]
        gets = [(_scope("GET", query_path(pair), headers), b"") for pair in busy_pairs() * (count // 100)]
        got = _under_profile(endpoint, gets, 1)
        reports.extend(
            (_report("GET, loop", [got], len(gets)), _report("GET, readers", threads[len(writer) :], len(gets)))
        )
    finally:
        threading.setprofile(None)
        tenants.close()
    return "\n".join(reports)


def _under_profile(
    endpoint: Endpoint, requests: Sequence[tuple[dict[str, Any], bytes]], callers: int
) -> cProfile.Profile:
    one = cProfile.Profile()
    one.enable()
    try:
        uvloop.run(_drive(endpoint, iter(requests), callers))
    finally:
        one.disable()
    return one


async def _drive(endpoint: Endpoint, requests: Iterator[tuple[dict[str, Any], bytes]], callers: int) -> None:
    with ThreadPoolExecutor(READERS) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        await asyncio.gather(*(_call(endpoint, requests) for _ in range(callers)))


async def _call(endpoint: Endpoint, requests: Iterator[tuple[dict[str, Any], bytes]]) -> None:
    for scope, content in requests:
        statuses: list[int] = []

        async def receive(content: bytes = content) -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any, statuses: list[int] = statuses) -> None:
            if "status" in message:
                statuses.append(message["status"])

        await endpoint(scope, receive, send)
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


def _report(title: str, profiles: Sequence[cProfile.Profile], count: int) -> str:
    for one in profiles:
        one.disable()
        one.create_stats()
    text = io.StringIO()
    kept = [one for one in profiles if one.stats]
    if not kept:
        return f"== {title}: not measured (Python 3.12 and later profile one thread at a time)\n"
    stats = pstats.Stats(*kept, stream=text)
    stats.sort_stats("tottime").print_stats(TOP)
    total = stats.total_tt / count * 1e6  # type: ignore[attr-defined]  # not in the stub
    shown = text.getvalue().replace(_ROOT + "/", "").partition("ncalls")[2]
    return f"== {title}: {total:.0f} us a request under the profiler, {count} requests\n   ncalls{shown.rstrip()}\n"
