"""``lrs services`` and ``lrs deliveries``."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from standardwebhooks import Webhook, WebhookVerificationError

from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.matching import registry, resync
from lrs.matching.registry import AboutService
from lrs.matching.service_commands import services
from lrs.matching.services import authenticate, disable, get
from lrs.ops.delivery_commands import deliveries
from lrs.outbox.deliveries import Delivery, queue
from lrs.tenancy.tenants import Tenant
from tests.builders import store_in
from tests.kept import bytes_below
from tests.matching.world import (
    HOUR,
    LEASE,
    PURPOSE,
    SECOND,
    Clock,
    Receiver,
    agree,
    held,
    listed,
    put_person,
    put_profile,
    put_service,
    receiver,
    run_all,
    run_deliver,
    token,
    web,
)
from tests.rows import each_of


def run(data: Path, group: click.Group, *words: str) -> Result:
    return CliRunner().invoke(group, [*words, "--data", str(data)], env={"LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]'})


@pytest.fixture(autouse=True)
def _store(tmp_path: Path) -> None:
    store_in(tmp_path)


ADD = ("add", "Career Converter", "--scopes", "profiles:read,roles:read", "--purpose", PURPOSE)


def test_adding_a_service_prints_its_secrets_once(tmp_path: Path) -> None:
    made = run(tmp_path, services, *ADD, "--webhook", "http://127.0.0.1:9/hook", "--json")
    listed = run(tmp_path, services, "list", "--json")

    told = json.loads(made.stdout)
    assert told["client_id"] == "career-converter"
    assert told["scopes"] == ["profiles:read", "roles:read"]
    assert told["webhook_secret"].startswith("whsec_")
    assert json.loads(listed.stdout) == [
        {
            "id": "career-converter",
            "name": "Career Converter",
            "state": "active",
            "reason": None,
            "webhook": "http://127.0.0.1:9/hook",
            "scopes": ["profiles:read", "roles:read"],
            "purpose": PURPOSE,
            "contact": "",
            "privacy_notice": "",
            "return_urls": [],
        }
    ]
    store = b"".join(bytes_below(tmp_path))
    assert told["client_secret"].encode() not in store
    assert told["webhook_secret"].encode() not in store


@pytest.mark.parametrize("words", [("list",), ("list", "--state", "dead", "--json"), ("resend",)])
def test_deliveries_of_a_service_that_is_not_there_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    run(tmp_path, services, *ADD)

    answer = run(tmp_path, deliveries, *words, "--service", "carer-converter")

    assert (answer.exit_code, answer.output) == (1, "Error: there is no service carer-converter\n")


def test_the_plain_text_is_for_reading(tmp_path: Path) -> None:
    made = run(tmp_path, services, *ADD)
    listed = run(tmp_path, services, "list")

    assert made.stdout.splitlines()[0] == "client_id       career-converter"
    assert made.stdout.splitlines()[-1] == "The client secret is shown only now."
    assert [re.split("  +", line) for line in listed.stdout.splitlines()] == [
        ["ID", "NAME", "STATE", "WEBHOOK", "SCOPES"],
        ["career-converter", "Career Converter", "active", "pull only", "profiles:read, roles:read"],
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (ADD, "a service career-converter exists already"),
        (("add", "Other", "--scopes", "profiles:write", "--purpose", "x"), "unknown scope profiles:write"),
        (("add", "!!!", "--scopes", "roles:read", "--purpose", "x"), "needs at least one letter or digit"),
        (("add", "Other", "--scopes", "roles:read", "--purpose", " "), "say what the service uses the data for"),
        (
            ("add", "Other", "--scopes", "roles:read", "--purpose", "x", "--webhook", "https://10.0.0.8/hook"),
            "the webhook cannot be used: 10.0.0.8 leads to an address outside the public internet",
        ),
        (
            ("add", "Other", "--scopes", "roles:read", "--purpose", "x", "--webhook", "ftp://example.org/"),
            "the webhook cannot be used: only https URLs with a host",
        ),
        (("resync", "nobody"), "there is no service nobody"),
        (("rotate", "nobody"), "there is no service nobody"),
        (("disable", "nobody"), "there is no service nobody"),
    ],
)
def test_what_cannot_be_registered_is_refused_in_one_sentence(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    run(tmp_path, services, *ADD)

    result = run(tmp_path, services, *words)

    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.parametrize("said", ["career-converter", "Career Converter", "career CONVERTER"])
def test_a_service_is_meant_by_its_client_id_or_its_name(tmp_path: Path, said: str) -> None:
    run(tmp_path, services, *ADD)

    told = [run(tmp_path, services, *words, said) for words in (("rotate",), ("set", "--contact", "a@b.example"))]
    told += [run(tmp_path, services, *words) for words in (("disable", said), ("resync", said))]
    told += [run(tmp_path, services, "test", said, "--wait", "0"), run(tmp_path, deliveries, "list", "--service", said)]

    assert [one.exit_code for one in told] == [0, 0, 0, 0, 1, 0]
    assert "career-converter has no webhook" in told[4].stderr
    assert "lrs services resync career-converter takes it back" in told[2].stdout


@pytest.mark.parametrize(
    ("webhook", "why"),
    [((), "it has no webhook"), (("--webhook", "https://x.example/hook"), "no learner agreed to show it anything")],
)
def test_telling_a_service_anew_fails_where_nothing_is_done(tmp_path: Path, webhook: tuple[str, ...], why: str) -> None:
    run(tmp_path, services, *ADD, *webhook)

    active = run(tmp_path, services, "resync", "career-converter")
    run(tmp_path, services, "disable", "career-converter")
    stopped = run(tmp_path, services, "resync", "career-converter")

    assert (active.exit_code, stopped.exit_code) == (1, 0)
    assert f"career-converter is active already, and is told nothing: {why}" in active.stderr
    assert stopped.stdout == "career-converter is active\n"


def test_a_webhook_whose_name_does_not_resolve_today_may_tomorrow(tmp_path: Path) -> None:
    made = run(tmp_path, services, *ADD, "--webhook", "https://no-such-name.invalid/hook")

    assert made.exit_code == 0


def test_the_printed_secret_opens_the_door(tenant: Tenant) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        assert token(client, made)


def test_new_secrets_take_the_place_of_the_former_at_once(tenant: Tenant, receiving: Receiver, clock: Clock) -> None:
    clock.now = time.time_ns() // 1_000  # the other side looks at the real clock
    former = put_service(tenant, receiving.url)
    put_learner(tenant)
    with web(tenant) as client:
        opened = {"Authorization": f"Bearer {token(client, former)}"}

        made = json.loads(run(tenant.settings.data, services, "rotate", "career-converter", "--json").stdout)

        kept = client.get("/api/profiles", headers=opened)
        old, new = (
            client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("career-converter", secret))
            for secret in (former.client_secret, made["client_secret"])
        )
    run_all(tenant)
    told = receiving.got[0]
    assert [kept.status_code, old.status_code, new.status_code] == [401, 401, 200]
    assert Webhook(made["webhook_secret"]).verify(told.body, told.headers)["type"] == "consent.given"
    with pytest.raises(WebhookVerificationError):
        Webhook(former.webhook_secret).verify(told.body, told.headers)


def test_former_secrets_go_on_for_the_hours_that_are_said_and_no_longer_than_until_the_next_change(
    tenant: Tenant, clock: Clock
) -> None:
    clock.now = time.time_ns() // 1_000  # the command looks at the real clock
    secrets = [put_service(tenant).client_secret]

    def rotate(*words: str) -> None:
        out = run(tenant.settings.data, services, "rotate", "career-converter", *words, "--json").stdout
        secrets.append(json.loads(out)["client_secret"])

    def opens() -> list[bool]:
        return [authenticate(tenant, "career-converter", secret) is not None for secret in secrets]

    rotate("--overlap", "2")
    clock.now += 2 * HOUR - 60 * SECOND
    within = opens()
    clock.now += 120 * SECOND
    after = opens()
    rotate("--overlap", "2")
    rotate()
    clock.now = time.time_ns() // 1_000

    assert (within, after, opens()) == ([True, True], [False, True], [False, False, False, True])


def test_a_service_can_be_shut_out_and_taken_back(tenant: Tenant, receiving: Receiver) -> None:
    made = put_service(tenant, receiving.url)
    put_learner(tenant)
    data = tenant.settings.data

    out = run(data, services, "disable", "career-converter")
    run_all(tenant)
    with web(tenant) as client:
        shut = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("career-converter", made.client_secret)
        )
    listed = run(data, services, "list")
    silent = list(receiving.events)
    run(data, services, "resync", "career-converter")
    run_all(tenant)

    assert out.stdout == "career-converter is disabled; lrs services resync career-converter takes it back\n"
    assert shut.status_code == 401
    assert listed.stdout.splitlines()[1].startswith("career-converter  Career Converter  disabled (by command)  ")
    assert silent == []
    assert receiving.events == ["consent.given", "profile.updated"]


def put_learner(tenant: Tenant, mailbox: str = "mailto:ana@example.org") -> None:
    person = put_person(tenant, mailbox)
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)


def test_deliveries_are_listed_by_state_and_sent_again_by_id(tenant: Tenant, receiving: Receiver) -> None:
    data = tenant.settings.data
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = lambda got: (410, {}) if got.json["type"] == "profile.updated" else (200, {})
    run_all(tenant)
    dead = json.loads(run(data, deliveries, "list", "--state", "dead", "--json").stdout)
    receiving.answers = lambda _: (200, {})
    resync = run(data, services, "resync", "career-converter")
    again = run(data, deliveries, "resend", dead[0]["id"])
    run_deliver(tenant)
    namesake = Delivery("d-1", "xapi", "career-converter", b"{}")
    tenant.store.write(lambda tx: queue(tx, namesake, tenant.clock())).result()
    after = run(data, deliveries, "list", "--service", "career-converter")

    assert [(one["event"], one["reason"]) for one in dead if one["event"] == "profile.updated"] == [
        ("profile.updated", "the destination is disabled: it answered 410 Gone")
    ]
    assert resync.stdout == "career-converter is active: 1 consent will be told again\n"
    assert again.stdout == "1 delivery will be sent again\n"
    assert ("delivered" in after.stdout, "xapi" in after.stdout) == (True, False)


@pytest.mark.parametrize("words", [(), ("some-id", "--all"), ("--service", "x", "--all")])
def test_resend_needs_to_know_exactly_what(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = run(tmp_path, deliveries, "resend", *words)

    assert result.exit_code == 2
    assert "name one delivery, or --service NAME, or --to NAME, or --channel NAME, or --all" in result.stderr


@pytest.mark.parametrize("beside", [("--to", "hook"), ("--channel", "email")])
def test_a_service_is_no_destination_of_another_channel(tmp_path: Path, beside: tuple[str, ...]) -> None:
    result = run(tmp_path, deliveries, "list", "--service", "career-converter", *beside)

    assert (result.exit_code, "leave out --to and --channel" in result.stderr) == (2, True)


def test_resending_what_is_not_there_is_said(tmp_path: Path) -> None:
    one = run(tmp_path, deliveries, "resend", "some-id")
    none = run(tmp_path, deliveries, "resend", "--all")

    assert (one.exit_code, one.stderr) == (1, "Error: there is no delivery some-id\n")
    said = "Error: no such delivery was given up on or is held: lrs deliveries list shows all\n"
    assert (none.exit_code, none.stderr, none.stdout) == (1, said, "")


def test_resync_tells_everything_once_more_under_new_ids(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    run_all(tenant)
    count = registry.resync(tenant, "career-converter", by="test")
    run_all(tenant)
    run_all(tenant)

    assert count == 1
    assert receiving.events[2:] == ["profile.updated"]
    assert len({one.headers["webhook-id"] for one in receiving.got}) == 3


def test_resync_goes_on_after_its_process_ended_and_leaves_nobody_out(
    tenant: Tenant, receiving: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "BATCH", 2)
    put_service(tenant, receiving.url)
    for number in range(5):
        put_learner(tenant, f"mailto:l{number}@example.org")
    run_all(tenant)

    registry.resync(tenant, "career-converter", by="test")
    left = tenant.store.count(resync.KIND, [])
    (lost,) = tenant.store.claim([resync.STEP], limit=9, lease=1)
    resync.resync(tenant, [lost])  # two are owed, and then this process is gone
    (slow,) = tenant.store.claim([resync.STEP], limit=9, lease=LEASE)
    registry.resync(tenant, "career-converter", by="test")  # begins anew while it is on its way
    resync.resync(tenant, [slow])
    pages = drain(tenant, [resync.STEP])

    assert left == 1
    assert pages == 3
    assert tenant.store.count(resync.KIND, []) == 0
    assert {one.step: one.waiting for one in tenant.store.backlog()} == {"sync": 5}


def test_a_test_event_is_sent_and_the_command_says_what_became_of_it(tmp_path: Path, tenant: Tenant) -> None:
    with receiver() as there:
        put_service(tenant, there.url, name="Finder")
        unsent = run(tmp_path, services, "test", "finder", "--wait", "0")
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.05):
                run_deliver(tenant)

        worker = threading.Thread(target=work)
        worker.start()
        try:
            done = run(tmp_path, services, "test", "finder", "--wait", "120")
        finally:
            ended.set()
            worker.join()

    assert (unsent.exit_code, "is not sent yet: does a worker run?" in unsent.output) == (1, True)
    assert done.exit_code == 0
    assert "finder took the test event" in done.output
    assert set(there.events) == {"service.test"}


def test_a_service_without_a_webhook_is_sent_no_test(tmp_path: Path, tenant: Tenant) -> None:
    put_service(tenant, name="Asker")

    answer = run(tmp_path, services, "test", "asker")

    assert (answer.exit_code, "has no webhook" in answer.output) == (1, True)


@each_of(
    ("act", "status", "says"),
    [
        (lambda tenant: registry.rotate(tenant, "finder", by="test", overlap=-1), 400, "for at most 168 hours"),
        (
            lambda tenant: registry.rotate(tenant, "finder", by="test", overlap=168 * HOUR + 1),
            400,
            "for at most 168 hours",
        ),
        (lambda tenant: registry.tell(tenant, "finder", AboutService(), by="test"), 400, "nothing to change"),
        (
            lambda tenant: registry.send_test(tenant, "finder", by="test"),
            409,
            r"\(closed\), so nothing is sent",
        ),
        (lambda tenant: registry.send_test(tenant, "nobody", by="test"), 404, "there is no service nobody"),
    ],
    ids=["less than none", "more than a week", "nothing to tell", "disabled", "unknown"],
)
def test_what_cannot_be_done_to_a_service_is_refused_and_leaves_all_as_it_was(
    tenant: Tenant, act, status, says
) -> None:
    if get(tenant.store, "finder") is None:
        put_service(tenant, "http://127.0.0.1:9/hook", name="Finder")
        tenant.store.write(lambda tx: disable(tx, "finder", "closed", by="test")).result()
    before = get(tenant.store, "finder")

    with pytest.raises(Refused, match=says) as refused:
        act(tenant)

    assert (refused.value.status, get(tenant.store, "finder")) == (status, before)
    assert list(listed(tenant)) == []
