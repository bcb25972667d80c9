"""What ``lrs doctor`` finds: each finding, on each side of its boundary."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import MIB, Settings
from lrs.kernel.times import HOUR, SECOND
from lrs.ops import doctor, doctor_audit, doctor_consent, doctor_content, metrics
from lrs.ops.doctor import Finding
from lrs.outbox import listing
from lrs.storage import ROWS, Backlog, Load
from lrs.tenancy import audit
from lrs.tenancy.audit import AuditEntry
from lrs.tenancy.audit_head import HeadLine
from lrs.xapi.statements.quarantine import QuarantineTally
from tests.badges.made import NOON
from tests.told.story import Story


def found(story: Story, case: str, findings: Any) -> None:
    story.say(f"- {case}")
    for one in [findings] if isinstance(findings, Finding) else findings:
        story.say(f"    {one.status} {one.check}: {one.message}")


def test_findings_about_settings_and_the_disk(tmp_path: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    told.names = {str(tmp_path): "folder"}
    key = tmp_path / "master.key"
    here = Settings(data=tmp_path)
    story.head("settings")
    found(story, "nothing is set, and there is no key", doctor.of_settings(here, {"PATH": "a", "LRS_DATA": "b"}))
    key.write_text("not a key")
    key.chmod(0o600)
    found(story, "a key that is none", doctor.of_settings(here, {}))
    key.write_text((b"k" * 32).hex())
    for mode in (0o600, 0o640, 0o604, 0o700):
        key.chmod(mode)
        found(story, f"mode {mode:o}", doctor.of_settings(here, {"LRS_DATE": "b", "LRS_PORTS": "c"}))
    key.chmod(0o600)
    for url in ("http://lrs.example", "https://lrs.example"):
        found(story, url, doctor.of_settings(here.model_copy(update={"public_url": url}), {}))
    named = here.model_copy(update={"master_key_file": tmp_path / "nowhere"})
    found(story, "a key that was named and is not there", doctor.of_settings(named, {}))
    story.head("disk")
    for free in (255, 256, 1_023, 1_024):
        for took in (0.02, 0.0201):
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free * MIB))
                patch.setattr(doctor, "_sync_time", lambda _, took=took: took)
                found(story, f"{free} MiB, {took} s", doctor.of_disk(here))
    found(story, "no folder", doctor.of_disk(Settings.model_construct(data=tmp_path / "nowhere")))
    story.head("schema")
    for case, versions in {"none": (None, 3), "newer": (4, 3), "older": (2, 3), "the same": (3, 3)}.items():
        with monkeypatch.context() as patch:
            patch.setattr(doctor, "found_and_known", lambda _, versions=versions: versions)
            found(story, case, doctor.of_store(here, "default"))
            story.say(f"    would be migrated: {doctor.is_older('sqlite:///a')}")

    def broken(_: str) -> Any:
        raise Misconfigured("it does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(doctor, "found_and_known", broken)
        found(story, "unreachable", doctor.of_store(here, "default"))
        story.say(f"    would be migrated: {doctor.is_older('sqlite:///a')}")
    story.head("content")
    run_time = tmp_path / "scorm-again"
    run_time.mkdir()
    for pages, content, scorm, tenants in (
        (None, None, None, 1),
        ("https://a.example", None, None, 1),
        (None, "https://c.example", None, 1),
        ("https://a.example", "https://c.example", None, 1),
        ("https://a.example", "https://c.example", None, 2),
        ("https://a.example", "https://{tenant}.c.example", run_time, 2),
    ):
        given = {"pages_url": pages, "content_url": content, "scorm_again": scorm}
        found(story, f"{pages} {content} {tenants}", doctor_content.of_content(here.model_copy(update=given), tenants))
    for version in ("2.9.9", "3.0.0"):
        (run_time / "package.json").write_text(f'{{"name": "scorm-again", "version": "{version}"}}')
        found(story, version, [*doctor_content.of_content(here.model_copy(update={"scorm_again": run_time}), 1)][1:])
    told(str(story))


def tenant_with(**store: Any) -> Any:
    return SimpleNamespace(clock=lambda: NOON, store=SimpleNamespace(**store), id="default")


def ago(seconds: float) -> int:
    return NOON - round(seconds * SECOND)


def test_findings_about_work_and_clocks(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    story.head("work")
    resting = tenant_with(backlog=list)
    for case, seen in {"a sign of life 59 s ago": 59, "60 s ago": 60, "59 s ahead": -59, "60 s ahead": -60}.items():
        found(story, case, doctor.of_work(resting, {"one": ago(seen)}))
    found(story, "two of three", doctor.of_work(resting, {"one": NOON, "two": ago(5), "three": ago(3_600)}))
    death = {"count": 1, "at": ago(10), "again": 2.0, "reason": "killed by signal 9"}
    for case, changed in {
        "died once": {},
        "twice": {"count": 2},
        "three times": {"count": 3},
        "healthy again in a second": {"at": ago(361)},
        "healthy again": {"at": ago(362)},
        "by a clock ahead": {"at": ago(-10)},
    }.items():
        for alive in ({"one": NOON}, {}):
            found(story, f"{case}, {len(alive)} alive", doctor.of_work(resting, alive, [death | changed]))
    behind = [
        Backlog("match", 3, 0, ago(60)),
        Backlog("evaluate", 3, 0, ago(60.6)),
        Backlog("issue", 0, 2, None),
        Backlog("deliver", 7, 1, ago(3_600)),
        Backlog("list", 1, 0, NOON + HOUR),
        Backlog("unknown", 0, 1, None),
    ]
    busy = tenant_with(backlog=lambda: behind)
    found(story, "owed", doctor.of_work(busy, {"one": NOON}, (), {"issue": 4, "match": 0}))
    story.head("clock")
    for case, newest in {"none stored": None, "5 s ahead": -5.0, "5.1 s ahead": -5.1, "an hour ago": 3_600}.items():
        records = [] if newest is None else [SimpleNamespace(seq=ago(newest))]
        monkeypatch.setattr(doctor, "micros_of", lambda seq: seq)
        found(
            story, case, doctor.of_clock(tenant_with(find=lambda _, records=records: SimpleNamespace(records=records)))
        )
    story.head("search keys")
    for count in (0, 1, 7):
        found(story, f"{count} wrong", doctor.of_search_keys(tenant_with(wrong_keys=lambda count=count: count)))
    story.head("guests")
    monkeypatch.setattr(doctor, "counted_for_nobody", lambda _: {"the vle": 2, "centre": 1})
    found(story, "of two sources", doctor.of_strangers(resting))
    story.head("destinations")
    standing = listing.DestinationStatus(
        listing.Destination("xapi", "national"), 1, None, "lrs forward resume national", "National", ""
    )
    stopped = msgspec.structs.replace(standing.destination, state="paused", reason="it said 401", changed=ago(60))
    some = {
        "has all": standing,
        "an hour behind": msgspec.structs.replace(standing, since=ago(3_600)),
        "a second more": msgspec.structs.replace(standing, since=ago(3_601)),
        "paused": msgspec.structs.replace(standing, destination=stopped, since=ago(9_999)),
        "stopped before that was kept": msgspec.structs.replace(
            standing, destination=msgspec.structs.replace(stopped, changed=None, state="disabled")
        ),
    }
    for case, one in some.items():
        monkeypatch.setattr(listing, "destinations", lambda *_, one=one: [one])
        found(story, case, doctor.of_destinations(resting, {}))
    story.head("consent")
    whole = {"name": "Careers", "contact": "a@b.example", "privacy_notice": "https://b.example/privacy"}
    for case, organisation, service in (
        ("all is told", whole, whole),
        ("the organisation has no name", whole | {"name": ""}, whole),
        (
            "neither has a contact or a notice",
            {"name": "A", "contact": "", "privacy_notice": ""},
            {**whole, "contact": None, "privacy_notice": None},
        ),
    ):
        asked = tenant_with()
        asked.record = SimpleNamespace(**organisation)
        for active in (True, False):
            one = SimpleNamespace(id="careers", active=active, **service)
            monkeypatch.setattr(doctor_consent.services, "everyone", lambda _, one=one: iter([one]))
            found(story, f"{case}, {'active' if active else 'disabled'}", doctor_consent.of_consent(asked))
    told(str(story))


def test_numbers_of_several_tenants(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``/metrics`` makes of what it saw, by its parts."""
    monkeypatch.setattr(metrics, "wall_clock", lambda: NOON + HOUR)
    loads = [Load(1, 3 * ROWS, 5, 20), Load(2, ROWS - 1, 7, 8)]
    one = listing.DestinationStatus(listing.Destination("xapi", "national"), 1, ago(60), "", "", "")
    stopped = msgspec.structs.replace(one.destination, state="paused")
    some = [one, msgspec.structs.replace(one, destination=stopped, since=None)]
    first = metrics.TenantSample(
        NOON, [Backlog("match", 3, 1, ago(60)), Backlog("list", 1, 0, None)], some, {"vle": QuarantineTally(2, 400, 9)}
    )
    second = metrics.TenantSample(NOON + HOUR, [Backlog("match", 4, 2, ago(90))], [], {})
    seen = {"one": first, "two": second, "broken": None}
    owed = [(each, looked.at) for looked in seen.values() if looked for each in looked.backlog]
    families = [
        *metrics._of_writers(loads),  # noqa: SLF001 (a part of the text, which is of this moment as a whole)
        *metrics._of_owed(owed),  # noqa: SLF001 (as above)
        *metrics._of_tenants(seen),  # noqa: SLF001 (as above)
        *metrics._of_destinations(seen),  # noqa: SLF001 (as above)
        *metrics._of_quarantine(seen),  # noqa: SLF001 (as above)
    ]
    told(
        "".join(
            f"{one.type} {sample.name} {sample.labels}: {sample.value}\n" for one in families for sample in one.samples
        )
    )


def test_findings_about_the_record_of_actions(tmp_path: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    told.names = {str(tmp_path): "folder"}
    head = tmp_path / "head"
    head.write_text("")

    def entry(number: int, action: str = "keys.created", seconds: float = 3_600, **about: str) -> AuditEntry:
        return AuditEntry(v=1, previous="", number=number, at=ago(seconds), action=action, by="test", about=about)

    def line(number: int, hash: str) -> HeadLine:
        return HeadLine("default", "a store", number, hash, f"2026-11-{number:02}")

    plain = [(entry(number), f"hash {number}") for number in (1, 2, 3)]
    restored = [*plain[:2], (entry(3, audit.RESTORED, taken="2026-11-20"), "hash 3"), (entry(4), "hash 4")]
    sealed = [(entry(1, audit.SEALED, entries="12"), "hash 1"), *plain[1:]]
    for case, entries, lines, others in (
        ("agrees", plain, [line(1, "hash 1"), line(3, "hash 3")], set()),
        ("is a minute behind", [*plain, (entry(4, seconds=60), "hash 4")], [line(3, "hash 3")], set()),
        ("is more than a minute behind", [*plain, (entry(4, seconds=61), "hash 4")], [line(3, "hash 3")], set()),
        ("is empty, as the record", [], [], set()),
        ("is of another store", plain, [], {"two", "one"}),
        ("has another entry", plain, [line(1, "hash 1"), line(2, "other"), line(3, "hash 3")], set()),
        ("has nothing of it", plain, [line(2, "other")], set()),
        ("is ahead", plain, [line(3, "hash 3"), line(9, "hash 9")], set()),
        (
            "has one of before a restore",
            restored,
            [line(2, "hash 2"), line(3, "hash of before"), line(4, "hash 4")],
            set(),
        ),
        ("has one of long before a restore", restored, [line(1, "other"), line(4, "hash 4")], set()),
        ("was sealed", sealed, [line(3, "hash 3")], {"two"}),
    ):
        monkeypatch.setattr(doctor_audit, "_outside", lambda *_, given=(lines, others, None): given)
        monkeypatch.setattr(audit, "walk", lambda _, entries=entries: iter(entries))
        monkeypatch.setattr(audit, "head_of", lambda _: object())
        found(story, case, doctor_audit.of_audit(with_head(head)))
    story.head("outside")
    monkeypatch.undo()
    monkeypatch.setattr(audit, "walk", lambda _: iter(plain))
    monkeypatch.setattr(audit, "head_of", lambda _: object())
    found(story, "no file is named", doctor_audit.of_audit(with_head(None)))
    found(story, "it is not there", doctor_audit.of_audit(with_head(tmp_path / "nowhere")))
    found(story, "it cannot be read", doctor_audit.of_audit(with_head(tmp_path)))

    def broken(_: Any) -> Any:
        raise audit.Broken(2, "was changed")

    monkeypatch.setattr(audit, "walk", broken)
    found(story, "broken", doctor_audit.of_audit(with_head(head)))
    monkeypatch.setattr(audit, "head_of", lambda _: None)
    found(story, "gone", doctor_audit.of_audit(with_head(head)))
    told(str(story))


def with_head(path: Path | None) -> Any:
    made = tenant_with(get=lambda *_: object(), mac=lambda _: b"a store")
    made.settings = SimpleNamespace(audit_head=path)
    return made
