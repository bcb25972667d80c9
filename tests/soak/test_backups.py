"""Backups under load, again and again, with kills of the server and of backups; each one is restored and asked (P8)."""

from __future__ import annotations

import os
import random
from contextlib import closing

import pytest

from lrs.kernel.settings import Settings
from lrs.storage import Record
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import open_tenant
from tests.programs import programs, until
from tests.reliability.test_backup import PASSPHRASE, backed_up, badge_of
from tests.reliability.test_server import integrity, key_for, store_of
from tests.reliability.writers import SIZE, Writers, stored
from tests.soak.often import KILLS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600 * KILLS)]
ROUNDS = 6 * KILLS


def test_backups_between_kills_restore_all_that_was_acknowledged_before_each(tmp_path, row):
    lost = partial = acknowledged = 0
    everybody: list[Writers] = []
    before: list[list[list[str]]] = []
    (tmp_path / "here").mkdir()
    with programs(tmp_path / "here") as held:
        auth = key_for(held.data)
        badge_of(held.data, tmp_path / "badge.json")
        for number in range(ROUNDS):
            server, address = held.serve()
            writers = Writers(address, auth)
            everybody.append(writers)
            writers.start()
            after = random.randint(20, 150)
            until(lambda n=after, w=writers: len(w.acknowledged) >= n, "acknowledged batches")
            broken_off = held.start("backup", str(tmp_path / f"broken-{number}.tar"), backup_passphrase=PASSPHRASE)
            draft = f".broken-{number}.tar.*"
            until(lambda d=draft, b=broken_off: any(tmp_path.glob(d)) or b.poll() is not None, "the draft")
            broken_off.kill()
            before.append([batch for each in everybody for batch in each.acknowledged])
            backed_up(held, tmp_path / f"{number}.tar")
            server.kill()
            writers.wait()
    for number in range(ROUNDS):
        (tmp_path / f"there-{number}").mkdir()
        with programs(tmp_path / f"there-{number}") as held:
            held.data.rmdir()
            putting = held.start("restore", str(tmp_path / f"{number}.tar"), backup_passphrase=PASSPHRASE)
            assert putting.wait(300) == 0, held.log()
            assert integrity(store_of(held)) == [("ok",)]
            with closing(open_tenant(Settings(data=held.data)).store) as store:
                acknowledged += len(before[number])
                lost += sum(len(store.get_many("statement", batch)) < SIZE for batch in before[number])
                sent = (batch for each in everybody for batch in each.sent)
                partial += sum(0 < len(store.get_many("statement", batch)) < SIZE for batch in sent)
            _, address = held.serve()
            assert all(all(stored(address, auth, batch)) for batch in before[number][-20:])
    row("backups: acknowledged batches before them", acknowledged, "batches", at_least=ROUNDS * 20)
    row("backups: acknowledged before and not restored", lost, "batches", at_most=0)
    row("backups: restored in part", partial, "batches", at_most=0)


def test_the_memory_of_a_backup_and_of_a_restore_does_not_grow_with_the_store(tmp_path, row):
    peaks: dict[str, list[float]] = {"backup": [], "restore": []}
    for name, count in (("small", 1_000), ("large", 100_000)):
        (tmp_path / name).mkdir()
        with programs(tmp_path / name) as held:
            open_control(Settings(data=held.data)).close()
            with closing(open_tenant(Settings(data=held.data)).store) as store:
                blobs = [store.blobs.put([bytes([n % 256]) * (count // 10)]) for n in range(200)]
                for first in range(0, count, 500):
                    store.write(lambda tx, first=first, blobs=blobs: fill(tx, first, blobs), weight=500).result()
            (held.data / "master.key").rename(tmp_path / name / "key")
            for word in ("backup", "restore"):
                # Without a passphrase: scrypt alone takes 128 MiB.
                program = held.start(word, str(tmp_path / f"{name}.tar"), master_key_file=str(tmp_path / name / "key"))
                _, status, used = os.wait4(program.pid, 0)
                program.returncode = os.waitstatus_to_exitcode(status)
                assert status == 0, held.log()
                peaks[word].append(used.ru_maxrss / 1_024)
                if word == "backup":
                    held.data.rename(tmp_path / name / "before")
    for word, (small, large) in peaks.items():
        row(f"{word}: memory of a large store over that of a small one", large / small, "times", at_most=1.3)
    assert (tmp_path / "large.tar").stat().st_size > 20 * (tmp_path / "small.tar").stat().st_size


def fill(tx, first, blobs):
    for n in range(first, first + 500):
        meta = {"attachments": {"a": blobs[n // 50 % 200]}} if n % 50 == 0 else {}
        tx.insert(Record("statement", str(n), b'{"x":"' + b"y" * 900 + b'"}', meta, tuple(range(n * 17, n * 17 + 17))))
