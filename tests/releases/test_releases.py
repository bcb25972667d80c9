"""Stores of every release, as that release left them, under the present program: opened, worked on, rebuilt.

``0.1.0`` is a data folder (that release wrote no backups), the later ones are what their ``lrs backup`` wrote.
"""

from __future__ import annotations

import json
import lzma
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import verify
from lrs.cli import main
from lrs.competency.rebuild import rebuild
from lrs.composition.kinds import TENANT
from lrs.composition.renaming import rename
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.ops.backup.places import store_file
from lrs.people.ids import is_name
from lrs.storage import each
from lrs.storage.sqlite.copy import examine
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.releases.make import HERE, PASSPHRASE

FIRST = "0.1.0"
FROZEN = sorted(path.name.removesuffix(".tar.xz") for path in HERE.glob("*.tar.xz"))
LATER = [release for release in FROZEN if release != FIRST]
LATELY = 1_796_000_000_000_000
"""2026-11-30: soon after the stores were frozen. Later some of what is held has ended."""


def run(*words: object) -> str:
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return done.stdout


def thawed(release: str, folder: Path) -> Path:
    """The data folder of *release*."""
    data, packed = folder / "data", lzma.decompress((HERE / f"{release}.tar.xz").read_bytes())
    (folder / "release.tar").write_bytes(packed)
    if release == FIRST:
        with tarfile.open(folder / "release.tar") as archive:
            archive.extractall(data, filter="data")
    else:
        (folder / "passphrase").write_text(PASSPHRASE)
        run("restore", folder / "release.tar", "--data", data, "--passphrase-file", folder / "passphrase")
    return data


@pytest.fixture(params=FROZEN)
def tenant(request: pytest.FixtureRequest, tmp_path: Path) -> Tenant:
    opened = open_tenant(Settings(data=thawed(request.param, tmp_path)), clock=lambda: LATELY)
    yield opened
    opened.store.close()


def badges_in(tenant: Tenant) -> dict[str, bytes]:
    return {record.id: record.body for record in each(tenant.store, "credential")}


def levels_in(tenant: Tenant) -> list[tuple[str, str, int]]:
    """What everybody holds, by person."""
    profiles = [(record.id, json.loads(record.body)["competencies"]) for record in each(tenant.store, "profile")]
    return sorted((id, one["competency"]["code"], one["level"]["ordinal"]) for id, held in profiles for one in held)


SECRETS = {
    ("0.1.0", "api-key"): "a4cdb40678dc82e1080899c477eb6a2e72798bb32d4bb687a79dfc6b9949288e",
    ("0.1.0", "audit"): "18d7a29245eefefbf6650e9d929dd80bc257e7537f6eda7ed74d4d0fdea5cb89",
    ("0.1.0", "badge-signing-key/1"): "2114f95725dbbb3fda79b234952e72362e0b577553cbd9ac4f25fcee3a0ba803",
    ("0.1.0", "person-ids"): "3650302759974f478b210cc9400bd55fbf253e060d7aa1809de77e9f16680dde",
    ("0.2.0", "api-key"): "0e5a0c80e99737f72752c2cd6f2f79fed0aa3ae96b6f0aed2b512c3666d33965",
    ("0.2.0", "audit"): "77db6488c8ad74ef651adfb373001ab45846c6de90a8bd473fab630f5e5d385e",
    ("0.2.0", "badge-signing-key/1"): "24e56d300bcd1fb4535a5857157e0207358a7f0b1f044f547be016f855735905",
    ("0.2.0", "pairwise"): "c37216b49f8357ed8d599f5e69740b880f21d211477b8e58e572cf10492809c2",
}
"""As the release itself derived them from the master key in its frozen store."""


@pytest.mark.parametrize("release", sorted({release for release, _ in SECRETS}))
def test_a_store_of_a_release_without_root_keys_keeps_its_secrets(release, tmp_path):
    settings = Settings(data=thawed(release, tmp_path))

    for _ in range(2):
        tenant = open_tenant(settings)
        found = {(release, purpose): tenant.secret(purpose).hex() for known, purpose in SECRETS if known == release}
        tenant.store.close()

        assert found == {about: secret for about, secret in SECRETS.items() if about[0] == release}


def test_every_statement_level_and_badge_is_there_and_stays_as_it_was(tenant):
    badges, levels = badges_in(tenant), levels_in(tenant)

    drain(tenant)

    assert tenant.store.count("statement") == 124
    assert (len(badges), len(levels)) == (67, 47)
    assert badges_in(tenant) == badges
    assert levels_in(tenant) == levels
    assert tenant.store.parked() == []


def test_every_badge_is_valid(tenant):
    verdicts = [
        verify(body, at=tenant.clock(), resolve=resolver(tenant, None), fetch=status_lists(tenant, None))
        for body in badges_in(tenant).values()
    ]

    assert [verdict.shown() for verdict in verdicts if not verdict.valid] == []


def test_a_rebuild_takes_no_level_and_no_badge_and_the_next_one_finds_nothing_to_do(tenant):
    badges, levels = badges_in(tenant), levels_in(tenant)
    drain(tenant)

    rebuild(tenant, TENANT, apply=True)
    drain(tenant)

    assert badges_in(tenant) == badges
    assert levels_in(tenant) == levels
    assert not rebuild(tenant, TENANT, apply=False)


def test_every_record_has_a_declared_kind_that_gives_its_subjects(tenant):
    store = store_file(tenant.settings, tenant.id)
    _, found = examine(store, store)
    asked = [kind for kind in TENANT.values() if kind.subjects and kind.name in found]

    told = [kind.subjects(record) for kind in asked for record in each(tenant.store, kind.name)]

    assert found.keys() <= TENANT.keys()
    assert sum(any(one) for one in told) > 500


@pytest.mark.parametrize("release", LATER)
def test_a_store_of_a_release_since_the_first_is_the_same_after_a_rebuild(release, tmp_path):
    tenant = open_tenant(Settings(data=thawed(release, tmp_path)), clock=lambda: LATELY)
    drain(tenant)

    found = rebuild(tenant, TENANT, apply=False)
    tenant.store.close()

    assert not found


def findings(data: Path) -> dict[str, str]:
    """The status of each check of the doctor."""
    found = json.loads(CliRunner().invoke(main, ["doctor", "--data", str(data), "--json"]).stdout)["findings"]
    return {one["check"]: one["status"] for one in found}


@pytest.mark.parametrize("release", FROZEN)
def test_the_doctor_finds_keys_schema_and_record_of_actions_in_order(release, tmp_path):
    data = thawed(release, tmp_path)

    before = findings(data)
    open_tenant(Settings(data=data)).store.close()
    told = findings(data)

    older = "warning" if release == FIRST else "ok"  # a restore has brought it forward; else it is left as it is
    assert (before["store"], before["master-key"]) == (older, "ok")
    assert {check: told[check] for check in ("store", "master-key", "audit")} == dict.fromkeys(
        ("store", "master-key", "audit"), "ok"
    )


def test_no_identifier_stands_under_the_name_that_anybody_computes_once_work_is_done(tenant):
    drain(tenant)

    received = {"statement", "agent_name", "state", "agent_profile"}
    about = [
        one
        for name, kind in TENANT.items()
        if kind.subjects and name not in received
        for record in each(tenant.store, name)
        for one in kind.subjects(record).identifiers
    ]
    assert about
    assert not [one for one in about if is_name(one)]


@pytest.mark.parametrize("release", FROZEN)
def test_a_store_whose_processes_are_killed_after_each_page_of_renaming_ends_the_same(release, tmp_path):
    settings = Settings(data=thawed(release, tmp_path))
    tenant = open_tenant(settings, clock=lambda: LATELY)
    before = badges_in(tenant), levels_in(tenant)
    pages_done = 0
    while claims := tenant.store.claim(["rename"], limit=1, lease=60_000_000):
        rename(tenant, claims)
        pages_done += 1
        tenant.store.close()
        tenant = open_tenant(settings, clock=lambda: LATELY)

    drain(tenant)

    assert pages_done >= 10
    assert (badges_in(tenant), levels_in(tenant)) == before
    rebuild(tenant, TENANT, apply=True)
    drain(tenant)
    assert (badges_in(tenant), levels_in(tenant)) == before
    tenant.store.close()
