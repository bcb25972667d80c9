"""What an operator reads in the log when something fails beside the requests, and how often it is said."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from lrs.access.keys import create_key
from lrs.access.oidc import documents
from lrs.access.oidc.providers import Provider
from lrs.kernel.outbound import Blocked, Response, Unreachable
from lrs.kernel.settings import Settings
from lrs.outbox.channel import outcome_of
from lrs.tenancy import states
from lrs.tenancy.tenants import open_tenant
from lrs.web import kept_refusals, refusals
from lrs.web.refusals import Noted, Refusal, Refusals
from lrs.work import sweep, upkeep
from lrs.work.broker import Notifier
from lrs.work.upkeep import Interrupted, Upkeep
from lrs.xapi.statements.signatures import check_trust, trust_anchors
from tests.told.story import Story, inline
from tests.told.tabled import said
from tests.xapi.statements.signers import certificate, rsa_key

A = Refusal("2026-11-21T12:00:00.000+00:00", "vle", tenant="default", method="POST", status=400, error="bad_request")


@contextmanager
def logged(story: Story, what: str) -> Iterator[None]:
    """Tells the lines that this thread logs meanwhile: threads of other tests may still have something to say."""
    mine = threading.get_ident()

    def of_this_thread(_: Any, __: str, event: Any) -> Any:
        if threading.get_ident() != mine:
            raise structlog.DropEvent
        return event

    with structlog.testing.capture_logs([of_this_thread]) as lines:
        yield
    story.say(f"{what}: {len(lines)} lines", *(f"    {inline(line)}" for line in lines))


def fails(error: Exception) -> Callable[..., Any]:
    def act(*_: Any, **__: Any) -> Any:
        raise error

    return act


def test_refusals_that_cannot_be_written_down(told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story, folder, kept = Story(), tmp_path / "folder", []
    folder.write_text("a file is where the folder would be")
    made = Refusals(folder, kept.append)

    def write(*some: Refusal, dropped: int = 0) -> None:
        made._waiting.extend(Noted(one, "k") for one in some)  # noqa: SLF001 (a turn of the thread)
        made._dropped += dropped  # noqa: SLF001 (as above)
        made._write()  # noqa: SLF001 (as above)

    for turn in ("first", "second"):
        with logged(story, f"{turn} failure"):
            write(A)
    folder.unlink()
    with logged(story, "nothing, then two, with 3 lost"):
        write()
        write(A, A, dropped=3)
    story.say(*(folder / refusals.FILE).read_text().splitlines())
    monkeypatch.setattr(refusals, "MOST_BYTES", 10)
    write(A)
    story.say(*(f"{one.name}: {len(one.read_text().splitlines())} lines" for one in sorted(folder.iterdir())))
    story.say(f"kept elsewhere: {[len(some) for some in kept]}")
    folder.joinpath(refusals.FILE).unlink()
    folder.joinpath(refusals.FILE).mkdir()
    with logged(story, "a failure after that"):
        write(A)
    story.head("for pages")
    tenants: Any = SimpleNamespace(hold=fails(OSError("x")))
    with logged(story, "a tenant that is not to be had, and refusals that are kept nowhere"):
        others = (
            {"tenant": ""},
            {"status": 503},
            {"cause": "work"},
            {"source": "-", "method": "GET"},
            {"method": "GET"},
            {"method": "GET", "status": 403},
        )
        some = [Noted(A), *(Noted(refusal_with(**more)) for more in others)]
        kept_refusals.keeping(tenants)(some)
        story.say(f"{[kept_refusals._is_kept(one) for one in some]}")  # noqa: SLF001 (the one rule)
    told(str(story))


def refusal_with(**more: Any) -> Refusal:
    return Refusal(**({name: getattr(A, name) for name in A.__struct_fields__} | more))


def test_what_pages_tell_of_a_place(told: Any) -> None:
    story = Story()
    for pointer, index in (
        *((None, None), ("", None), ("/actor/mbox", None), ("/actor/secret", None), ("/0/actor", 0), ("/1/actor", 0)),
        *(("/context/contextActivities/parent/0/id", None), ("/context/contextActivities/parent/x/id", None)),
        *(("/attachments/12/length", None), ("/attachments/1234567890123/length", None), ("/attachments/٣", None)),
    ):
        story.say(f"{pointer} {index}: {refusals.place_of(pointer, index)}")
    told(str(story), is_tidy=True)


def test_upkeep_that_fails(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story, rests, times = Story(), [], iter((0.0, 0.001, 0.001, 0.004, 0.004, 9.0, 9.0, 9.0, 9.0))
    one: Any = Upkeep(lambda: (), (), every=0)
    one.close()
    one._stop = SimpleNamespace(wait=rests.append, set=lambda: None)  # noqa: SLF001 (a clock that stands)
    monkeypatch.setattr(upkeep, "time", SimpleNamespace(thread_time=lambda: next(times)))

    def first(tenant: Any, _: Any) -> None:
        story.say(f"first of {tenant.id}")
        if tenant.id == "two":
            raise ValueError("a secret")

    one._tenants, one._tasks = (  # noqa: SLF001 (no thread, and clocks that stand)
        lambda: [SimpleNamespace(id=name) for name in ("one", "two", "three")],
        (first, lambda tenant, _: story.say(f"second of {tenant.id}")),
    )
    with logged(story, "a walk"):
        one._walk()  # noqa: SLF001 (as above)
    story.say(f"rests {[round(rest, 3) for rest in rests]}, every {upkeep.EVERY}")
    one._tasks = (fails(Interrupted()),)  # noqa: SLF001 (as above)
    with pytest.raises(Interrupted):
        one._walk()  # noqa: SLF001 (as above)
    waits = iter((False, True))
    one._stop = SimpleNamespace(is_set=lambda: next(waits), wait=rests.append)  # noqa: SLF001 (as above)
    one._tenants = fails(OSError("x"))  # noqa: SLF001 (as above)
    with logged(story, "no tenants to be had"):
        one._run()  # noqa: SLF001 (as above)
    story.say(f"then it waits {rests[-1]} s")
    told(str(story))


def test_a_broker_that_is_away(told: Any) -> None:
    story = Story()
    one: Any = object.__new__(Notifier)
    one._reached, one._blind, one._steps = True, set(), ("evaluate",)  # noqa: SLF001 (no thread, and clocks that stand)
    for error in (None, OSError("x"), TimeoutError(), None, None):
        with logged(story, repr(error)):
            one._heard(error)  # noqa: SLF001 (no thread, and clocks that stand)
    answers = iter((fails(OSError("x")), fails(OSError("x")), lambda _: True, fails(OSError("x")), lambda _: False))
    for turn in range(5):
        tenant: Any = SimpleNamespace(id="north", store=SimpleNamespace(is_due=next(answers)))
        with logged(story, f"look {turn}"):
            story.say(f"due {one._is_due(tenant)}")  # noqa: SLF001 (no thread, and clocks that stand)
    told(str(story))


def test_files_of_certificates_that_change(told: Any, tmp_path: Path) -> None:
    story, file = Story(), tmp_path / "a.pem"
    settings = Settings(signature_trust=tmp_path)
    story.say(f"none: {len(trust_anchors(settings))}, without a folder {len(trust_anchors(Settings()))}")
    both = [certificate(name, rsa_key("one")).public_bytes(Encoding.PEM) for name in ("one", "two")]
    files = {
        "one": both[0],
        "two in one file": b"".join(both),
        "junk": b"x",
        "as junk as before": b"x",
        "one again": both[1],
    }
    for hour, (what, content) in enumerate(files.items()):
        file.write_bytes(content)
        os.utime(file, (0, 3_600 * hour))  # a file that is written twice in a moment could look unchanged
        with logged(story, what):
            for _ in range(2):
                story.say(f"{len(trust_anchors(settings))} certificates")
        story.say(f"at the start: {said(check_trust, settings)}")
    (tmp_path / "b.PEM").write_bytes(both[0])
    (tmp_path / "c.pem").write_bytes(both[0])
    story.say(f"files {len(trust_anchors(settings))}")
    told(str(story).replace(str(tmp_path), "<folder>"))


def test_a_provider_that_fails(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story, provider = Story(), Provider("id", "Example ID", "https://id.example", "c", 1)
    now, tenant = [0.0], SimpleNamespace(id="default", settings=Settings())
    good = {
        "issuer": provider.issuer,
        **dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), f"{provider.issuer}/x"),
    }
    made = documents.Documents(lambda: now[0])
    away, blocked = fails(Unreachable("it broke off")), fails(Blocked("not allowed"))
    for at, answer in (
        *(
            (0, away),
            (1, blocked),
            (2, lambda *_: b"x"),
            (3, lambda *_: b"[]"),
            (4, lambda *_: json.dumps(good).encode()),
        ),
        *((5, away), (3_603, away), (3_604, away), (3_663, away), (3_665, away), (86_403, away), (86_404, away)),
    ):
        now[0] = at
        monkeypatch.setattr(documents.outbound, "fetch", answer)
        with logged(story, f"{at} s"):
            story.say(said(made.discovery, tenant, provider))
    story.head("keys")
    keys = documents.Documents(lambda: now[0])
    asked: list[int] = []
    found = documents.checked(provider, good, Settings())

    def some(*_: Any) -> bytes:
        asked.append(1)
        return json.dumps({"keys": [{"kty": "RSA", "kid": "a"}, {"kty": "oct"}, 7]}).encode()

    monkeypatch.setattr(documents.outbound, "fetch", some)
    now[0] = 0.0
    for at, kid in ((0, "a"), (0, "a"), (0, "b"), (0, "b"), (0, "b"), (0, "b"), (61, "b"), (61, "b"), (3_700, None)):
        now[0] = at
        story.say(f"{at} s, {kid}: {len(keys.keys(tenant, provider, found, kid))} keys, asked {len(asked)} times")
    for body in ({}, {"keys": []}, {"keys": [{}] * 101}, {"keys": [{"kty": "EC"}] * 100}):
        monkeypatch.setattr(documents.outbound, "fetch", lambda *_, body=body: json.dumps(body).encode())
        fresh = documents.Documents(lambda: 0.0)
        story.say(
            f"{len(body.get('keys', ()))}: {said(lambda fresh=fresh: len(fresh.keys(tenant, provider, found, None)))}"
        )
    told(str(story))


def test_what_is_swept_and_who_is_put_down_nowhere(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story, tenant = Story(), SimpleNamespace(id="north")
    for count in (None, 0, 3):
        monkeypatch.setattr(sweep, "sweep_blobs", lambda *_, count=count, **__: count)
        with logged(story, f"dropped {count}"):
            sweep.swept({}, tenant, lambda _: False)
    monkeypatch.setattr(states, "is_there", lambda _: True)
    monkeypatch.setattr(states, "_append", fails(states.Misconfigured("it is damaged")))
    with logged(story, "a record of actions that cannot be opened"):
        states.put_down(Settings(), "north", "tenant.suspended", {"tenant": "north"})
    told(str(story))


def test_what_is_kept_of_refusals(told: Any, tmp_path: Path) -> None:
    story, tenant = Story(), open_tenant(Settings(data=tmp_path), clock=lambda: 1_795_262_400_000_000)
    key = create_key(tenant, "vle", ["state"]).key
    some = [
        Noted(refusal_with(source="-"), key),
        Noted(refusal_with(source="-")),
        Noted(refusal_with(source="other", place="/actor"), "x"),
        Noted(A, key),
    ]
    for _ in range(2):
        tenant.store.write(lambda tx: kept_refusals._add_all(tx, some)).result()  # noqa: SLF001 (no thread)
    for source, found in kept_refusals.all_refusals(tenant.store).items():
        story.say(f"{source}: {found.count}", *(f"    {inline(one)}" for one in found.newest))
    most = kept_refusals.MOST
    tenant.store.write(
        lambda tx: kept_refusals.add(tx, "many", [refusal_with(error=f"e{n}") for n in range(most + 1)])
    ).result()
    many = kept_refusals.refusals_of(tenant.store, "many")
    story.say(
        f"of {many.count} {len(many.newest)} are kept, from {many.newest[0].error} on; of nobody {kept_refusals.refusals_of(tenant.store, 'x').count}"
    )
    tenant.store.close()
    told(str(story).replace(key, "<key>"))


def test_what_answers_of_receivers_mean(told: Any) -> None:
    story = Story()
    for status in (100, 199, 200, 204, 299, 300, 301, 400, 408, 409, 410, 411, 429, 500, 503, 599):
        story.say(f"{status}: {inline(outcome_of(Response(status, {'retry-after': '7'})))}")
    told(str(story))
