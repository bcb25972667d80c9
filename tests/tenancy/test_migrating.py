"""``lrs tenants migrate``: every store of an installation is brought to this program's schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import Record
from lrs.storage.mongo import schema
from lrs.tenancy.control import open_control
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import open_tenant, store_url

FROZEN = Path(__file__).parents[1] / "contract" / "frozen"


@pytest.fixture
def settings(tmp_path):
    """The tenants ``default`` and ``acme``, and one that was never opened."""
    made = Settings(data=tmp_path)
    control = open_control(made)
    control.add("acme")
    control.add("never-opened")
    control.close()
    for name in ("default", "acme"):
        open_tenant(made, name).store.close()
    return made


def run(settings, *words):
    answer = CliRunner().invoke(main, ["tenants", "migrate", "--data", str(settings.data), *words])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


def file_of(settings, name):
    return Path(store_url(settings, name).removeprefix("sqlite:///"))


def test_each_store_is_brought_to_this_schema_and_told(settings):
    shutil.copy(FROZEN / "sqlite-1.db", file_of(settings, "acme"))

    first, again = run(settings, "--json"), run(settings)

    assert json.loads(first.stdout)["stores"] == [
        {"store": "control", "before": 4, "after": 4, "error": None},
        {"store": "default", "before": 4, "after": 4, "error": None},
        {"store": "acme", "before": 1, "after": 4, "error": None},
    ]
    assert (first.exit_code, first.stderr) == (0, "acme: from schema 1 to 4\n")
    assert (again.exit_code, again.stderr) == (0, "")


def test_a_store_that_cannot_be_migrated_keeps_no_other_from_it_and_ends_with_1(settings):
    file_of(settings, "default").write_bytes(b"not a database" * 1_000)
    shutil.copy(FROZEN / "sqlite-1.db", file_of(settings, "acme"))

    answer = run(settings, "--json")

    told = {one["store"]: one for one in json.loads(answer.stdout)["stores"]}
    assert answer.exit_code == 1
    assert told["default"]["error"].startswith("file is not a database") or "cannot be" in told["default"]["error"]
    assert told["acme"]["after"] == 4


def test_where_there_is_no_store_none_is_made(tmp_path):
    answer = run(Settings(data=tmp_path / "none"))

    assert answer.exit_code == 1
    assert f"there is no store in {tmp_path / 'none'}" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_server_does_not_start_on_a_large_database_before_it_was_migrated(
    mongo_url, mongo_client, tmp_path, monkeypatch
):
    monkeypatch.setenv("LRS_STORE_URL", mongo_url)
    settings = Settings(data=tmp_path)
    prefix = mongo_url.rpartition("/")[2]
    tenants = Tenants(settings)
    tenants.start()
    with tenants.hold("default") as tenant:
        tenant.store.write(lambda tx: [tx.insert(Record("statement", str(number))) for number in range(20)]).result()
    tenants.close()
    monkeypatch.setattr(schema, "AT_ONCE", 10)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, (lambda _: None,)))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 3)

    with pytest.raises(Misconfigured, match=rf"the database {prefix}_default has schema 2 .* run lrs tenants migrate"):
        Tenants(settings).start()
    answer = run(settings)
    again = Tenants(settings)
    told = again.start()
    again.close()

    assert answer.exit_code == 0, answer.output
    assert "default: schema 3, step 1 of 1\n" in answer.stderr
    assert told == []
    for name in ("default", "control"):
        mongo_client.drop_database(f"{prefix}_{name}")
