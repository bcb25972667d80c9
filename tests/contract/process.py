"""What one process does in the tests of several: run as ``python -m tests.contract.process ACT URL …``.

``write`` and ``crash`` print what was acknowledged, ``since`` and ``more`` what they saw, ``horizon`` what it was
promised and whether something came later. A poller ends when it has seen as many records as it was told of.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable

from lrs.kernel.times import HOUR
from lrs.storage import Record, Store, Walk, micros_of, open_store, wall_clock
from lrs.storage.sqlite.keys import SegmentSizes
from lrs.storage.sqlite.store import SqliteStore

PATIENCE_S = 60
KEY = 5


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write(store: Store, name: str, writers: int, each: int) -> None:
    """*writers* threads insert *each* records one by one, waiting for every one."""

    def run(writer: int) -> None:
        for n in range(each):
            record = Record("thing", f"{name}-{writer}-{n}", keys=(KEY, 100 + writer))
            store.write(lambda tx, record=record: tx.insert(record)).result(PATIENCE_S)

    threads = [threading.Thread(target=run, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def crash(store: Store, name: str, writers: int) -> None:
    """Writes until it is killed, each decision five records; prints an id prefix once it is acknowledged."""
    lock = threading.Lock()

    def run(writer: int) -> None:
        for n in range(1_000_000):
            batch = f"{name}-{writer}-{n}"
            store.write(lambda tx, batch=batch: [tx.insert(part(batch, i)) for i in range(5)], weight=5).result()
            with lock:
                say(batch)

    for writer in range(writers):
        threading.Thread(target=run, args=(writer,)).start()


def part(batch: str, number: int) -> Record:
    return Record("part", f"{batch}/{number}", b"x" * 500, keys=(KEY, 200 + number))


def since(store: Store, expected: int) -> list[tuple[int, str]]:
    """Polls by the place of the last record seen."""
    return poll(expected, lambda seen: store.find(Walk("thing", after=seen[-1][0] if seen else 0, limit=50)).records)


def more(store: Store, expected: int) -> list[tuple[int, str]]:
    """Polls by ``next``; at the end of the walk it goes on behind the last record."""
    start: str | None = None

    def ask(seen: list[tuple[int, str]]) -> tuple[Record, ...]:
        nonlocal start
        after = 0 if start or not seen else seen[-1][0]
        page = store.find(Walk("thing", (KEY,), limit=7, start=start, after=after))
        start = page.next
        return page.records

    return poll(expected, ask)


def poll(expected: int, ask: Callable[[list[tuple[int, str]]], tuple[Record, ...]]) -> list[tuple[int, str]]:
    seen: list[tuple[int, str]] = []
    until = time.monotonic() + PATIENCE_S
    while len(seen) < expected and time.monotonic() < until:
        seen += [(record.seq, record.id) for record in ask(seen)]
    return seen


def horizon(store: Store, expected: int) -> dict[str, int]:
    """Reads up to what is promised, again and again; counts what shows up below an earlier promise."""
    promised = late = promises = 0
    seen: set[str] = set()
    until = time.monotonic() + PATIENCE_S
    while len(seen) < expected and time.monotonic() < until:
        now = store.horizon()
        page = store.find(Walk("thing", limit=10_000))
        late += sum(record.id not in seen and micros_of(record.seq) <= promised for record in page.records)
        seen.update(record.id for record in page.records)
        promises += now > promised
        promised = max(promised, now)
    return {"late": late, "promises": promises, "seen": len(seen)}


def jumping() -> Callable[[], int]:
    """A clock that jumps back an hour at every third look and forth again."""
    looks = 0

    def clock() -> int:
        nonlocal looks
        looks += 1
        return wall_clock() - HOUR * (looks % 3 == 0)

    return clock


def main(act: str, url: str, *more_words: str) -> None:
    clock = jumping() if "jumping" in more_words else wall_clock
    words = [word for word in more_words if word not in {"jumping", "small"}]
    if "small" in more_words and url.startswith("sqlite:///"):  # so that much is merged
        sizes = SegmentSizes(entries=30, fan_out=2, step=40)
        store: Store = SqliteStore(url.removeprefix("sqlite:///"), clock=clock, segments=sizes)
    else:
        store = open_store(url, clock=clock)
    say("ready")
    sys.stdin.readline()
    if act == "write":
        write(store, words[0], int(words[1]), int(words[2]))
    elif act == "crash":
        crash(store, words[0], int(words[1]))
        return
    else:
        say(json.dumps({"since": since, "more": more, "horizon": horizon}[act](store, int(words[0]))))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
