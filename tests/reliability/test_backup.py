"""A backup taken under load restores, whatever is killed beside it (P8, its first half)."""

from __future__ import annotations

import json
import os
import random
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.badges.made import badge_in, put_award, run_issue
from tests.programs import Programs, programs, until
from tests.reliability.test_server import integrity, key_for, store_of
from tests.reliability.writers import SIZE, Writers, stored

pytestmark = pytest.mark.timeout(300)
PASSPHRASE = "a passphrase"


def badge_of(data: Path, file: Path) -> Path:
    """A badge of the store, in a file."""
    tenant = open_tenant(Settings(data=data))
    with closing(tenant.store):
        put_award(tenant, valid_until=None)
        run_issue(tenant)
        file.write_text(json.dumps(badge_in(tenant)[1]))
    return file


def backed_up(held: Programs, file: Path) -> None:
    taking = held.start("backup", str(file), backup_passphrase=PASSPHRASE)
    assert taking.wait(120) == 0, held.log()


def check_restored(folder: Path, file: Path, auth: tuple[str, str], writers: list[Writers], before: list[str]) -> None:
    """Restores *file* and asks a server of its own: *before* must be there, and no part of any batch."""
    with programs(folder) as held:
        held.data.rmdir()
        putting = held.start("restore", str(file), backup_passphrase=PASSPHRASE)
        assert putting.wait(120) == 0, held.log()
        assert integrity(store_of(held)) == [("ok",)]
        tenant = open_tenant(Settings(data=held.data))
        with closing(tenant.store):
            there = {
                batch[0]: len(tenant.store.get_many("statement", batch)) for each in writers for batch in each.sent
            }
            assert len(tenant.store.get_many("statement", before)) == len(before)
        assert set(there.values()) <= {0, SIZE}
        _, address = held.serve()
        assert all(stored(address, auth, before[-3 * SIZE :]))


@pytest.mark.soak
@pytest.mark.parametrize("pause", [0.05, 0.0])
def test_a_backup_taken_under_load_and_between_kills_restores_all_that_was_acknowledged_before_it(tmp_path, pause):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with programs(tmp_path / "here") as held:
        auth = key_for(held.data)
        badge = badge_of(held.data, tmp_path / "badge.json")
        server, address = held.serve()
        killed = Writers(address, auth, pause)
        killed.start()
        until(lambda: len(killed.acknowledged) >= 20, "acknowledged batches")
        broken_off = held.start("backup", str(tmp_path / "broken-off.tar"), backup_passphrase=PASSPHRASE)
        until(lambda: any(tmp_path.glob(".lrs-draft-*/backup")) or broken_off.poll() is not None, "the draft")
        broken_off.kill()
        server.kill()
        killed.wait()
        server, address = held.serve()
        writers = Writers(address, auth, pause)
        writers.start()
        until(lambda: len(writers.acknowledged) >= random.randint(5, 40), "acknowledged batches")

        before = [id for batch in (*killed.acknowledged, *writers.acknowledged) for id in batch]
        count = len(writers.acknowledged)
        backed_up(held, tmp_path / "backup.tar")
        during = len(writers.acknowledged) - count
        over = held.start("restore", str(tmp_path / "backup.tar"), backup_passphrase=PASSPHRASE)
        assert over.wait(120) == 1
        assert "is not empty" in held.log()
        assert len(writers.acknowledged) > count + during
        server.kill()
        writers.wait()

        assert set(writers.statuses) == {200}
        assert during > 0
        assert not (tmp_path / "broken-off.tar").exists()
    check_restored(tmp_path / "there", tmp_path / "backup.tar", auth, [killed, writers], before)
    words = ["badges", "verify", str(badge), "--offline", "--data", str(tmp_path / "there" / "data")]
    verified = CliRunner().invoke(main, words, env={name: None for name in os.environ if name.startswith("LRS_")})
    assert verified.output.endswith("valid\n")
    assert verified.exit_code == 0
