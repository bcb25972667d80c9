"""``/metrics``: what it counts, who may see it, and that it names nobody."""

import httpx
import pytest

from lrs.access.throttle import WRONG_SECRETS
from lrs.kernel.admission import MOST
from lrs.kernel.times import MINUTE, SECOND
from lrs.ops import metrics
from lrs.ops.metrics import TenantSample, _of_owed, _of_quarantine, _of_tenants
from lrs.storage import Backlog, Owed, Record
from lrs.web.counting import Requests
from lrs.xapi.statements.quarantine import QuarantineTally
from tests.builders import operator_in
from tests.served import new_id, serving, statement
from tests.transfer import forwarding


def test_requests_are_counted_by_resource_method_and_class_of_status():
    requests = Requests()
    for status, seconds in ((200, 0.0005), (204, 0.001), (200, 0.3), (503, 20)):
        requests.add("statements", "POST", status, seconds)
    requests.add("other", "FROBNICATE", 404, 0.002)
    requests.add("other", "FUMBLE", 404, 0.002)

    shown = {key: (series.buckets, series.seconds) for key, series in requests.series()}

    assert shown == {
        ("other", "other", 4): ([0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.004),
        ("statements", "POST", 2): ([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], pytest.approx(0.3015)),
        ("statements", "POST", 5): ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 20.0),
    }


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_tenants_the_oldest_counts_and_one_that_cannot_be_read_has_only_that_line(turned):
    now = 1_000 * SECOND
    steps = {
        "ann": [Backlog("match", 2, 1, now - 10 * SECOND), Backlog("sync", 1, 0, now + 60 * SECOND)],
        "ben": [Backlog("match", 3, 2, now - 30 * SECOND), Backlog("list", 0, 4, None)],
    }
    aside = {"ann": {"vle": QuarantineTally(1, 10, 7)}, "ben": {"vle": QuarantineTally(2, 10, 3)}}
    looked = {name: TenantSample(now, steps[name], (), aside[name]) for name in sorted(steps, reverse=turned)}
    of_steps = _of_owed([(one, sample.at) for sample in looked.values() for one in sample.backlog])

    found = [*of_steps, *_of_tenants({**looked, "zoe": None}), *_of_quarantine({**looked, "zoe": None})]
    told = {(one.name, *one.labels.values()): one.value for metric in found for one in metric.samples}

    owed, tenant = "lrs_owed", "lrs_tenant_owed"
    assert told == {
        **{(f"{owed}_waiting", step): count for step, count in (("match", 5), ("sync", 1), ("list", 0))},
        **{(f"{owed}_parked", step): count for step, count in (("match", 3), ("sync", 0), ("list", 4))},
        **{(f"{owed}_lag_seconds", step): lag for step, lag in (("match", 30), ("sync", 0), ("list", 0))},
        **{("lrs_tenant_up", name): up for name, up in (("ann", 1), ("ben", 1), ("zoe", 0))},
        **{(f"{tenant}_waiting", name): count for name, count in (("ann", 3), ("ben", 3))},
        **{(f"{tenant}_parked", name): count for name, count in (("ann", 1), ("ben", 6))},
        **{(f"{tenant}_lag_seconds", name): lag for name, lag in (("ann", 10), ("ben", 30))},
        **{("lrs_quarantined", name, "vle"): count for name, count in (("ann", 1), ("ben", 2))},
        **{("lrs_quarantined_statements_total", name, "vle"): count for name, count in (("ann", 7), ("ben", 3))},
    }


def lines_of(lrs, **more):
    answer = httpx.get(f"{lrs.address}/metrics", trust_env=False, **more)
    assert answer.status_code == 200, answer.text
    return dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#")


def test_metrics_tell_requests_the_writer_and_what_is_owed_and_name_nobody(tmp_path):
    with serving(tmp_path, metrics_open=True) as lrs:
        lrs.store(statement(actor={"mbox": "mailto:ann@example.org"}))
        lrs.get(statementId=new_id())
        lrs.ask("GET", "nothing/of/ours")
        owing = Record("profile", "p", owed=(Owed("sync", 1),))
        lrs.tenant.store.write(lambda tx: tx.insert(owing)).result()
        ((claim,),) = [lrs.tenant.store.claim(["sync"], limit=9, lease=1)]
        lrs.tenant.store.defer(claim, due=1, error="for ann@example.org", parked=True)

        told = lines_of(lrs)

    count = 'lrs_request_duration_seconds_count{method="%s",resource="%s",status="%s"}'
    assert told[count % ("POST", "statements", "2xx")] == "1.0"
    assert told[count % ("GET", "statements", "4xx")] == "1.0"
    assert told[count % ("GET", "other", "4xx")] == "1.0"
    assert told[count % ("GET", "/health", "2xx")] == "1.0"
    assert told['lrs_owed_waiting{step="match"}'] == "1.0"
    assert told['lrs_owed_waiting{step="sync"}'] == "0.0"
    assert told['lrs_owed_parked{step="sync"}'] == "1.0"
    assert 0 < float(told['lrs_owed_lag_seconds{step="match"}']) < 60
    assert told["lrs_writer_waiting"] == "0.0"
    # The root key, the mark of the master key, the key, the statement, the profile, its lease and its return.
    assert told["lrs_writer_commits_total"] == told["lrs_writer_decisions_total"] == "7.0"
    assert told['lrs_tenant_up{tenant="default"}'] == "1.0"
    assert (told["lrs_worker_deaths_total"], told["lrs_worker_running"]) == ("0.0", "0.0")
    assert not [line for line in told if "ann" in line]


def test_metrics_tell_which_limit_refused_and_how_full_each_is(tmp_path):
    with serving(tmp_path, metrics_open=True, queue_bytes=5_000) as lrs:
        before = lines_of(lrs)
        for _ in range(2):
            assert lrs.post(statement(result={"response": "x" * 6_000})).status_code == 503
        since = lrs.app.admission.work.enter(MOST)
        assert lrs.post(statement()).status_code == 503
        told = lines_of(lrs)
        lrs.app.admission.work.leave(MOST, since)
        refused = [lrs.get(auth=("who", "what")).status_code for _ in range(WRONG_SECRETS[0] + 1)]
        after = lines_of(lrs)

    later = 'lrs_retry_later_total{cause="%s",status="%s"}'
    assert (before[later % ("memory", "503")], told[later % ("memory", "503")]) == ("0.0", "2.0")
    assert (told[later % ("work", "503")], told[later % ("queue_rows", "503")]) == ("1.0", "0.0")
    assert (refused[-1], after[later % ("credentials", "429")]) == (429, "1.0")
    assert (told['lrs_admission_bytes{limit="work"}'], after['lrs_admission_bytes{limit="work"}']) == (
        "6.7108864e+07",
        "0.0",
    )
    assert told['lrs_admission_bytes{limit="memory"}'] == "0.0"
    assert told['lrs_admission_bound_bytes{limit="memory"}'] == "5000.0"
    assert told['lrs_admission_bound_bytes{limit="files"}'] == "5.36870912e+08"


def test_foreign_parameters_are_counted_by_resource_and_never_named(tmp_path):
    with serving(tmp_path, metrics_open=True) as lrs:
        lrs.ask("POST", "statements?token=ann&tincan=true", json=statement())
        lrs.ask("POST", "statements", json=statement())
        place = {"activityId": "https://example.org/a", "agent": '{"mbox":"mailto:ann@example.org"}', "stateId": "s"}
        lrs.ask("PUT", "activities/state", params={**place, "token": "ann"}, json={})
        lrs.ask("GET", "statements?token=ann")

        told = lines_of(lrs)

    assert told['lrs_ignored_parameters_total{resource="statements"}'] == "2.0"
    assert told['lrs_ignored_parameters_total{resource="activities/state"}'] == "1.0"
    assert not [line for line in told if "ann" in line or "token" in line]


def test_metrics_are_for_the_operator_and_for_no_tenant_unless_they_are_opened(tmp_path):
    """They have figures of all tenants, so the administrator of one, even of the default one, sees them no more."""
    with serving(tmp_path) as lrs:
        nobody = httpx.get(f"{lrs.address}/metrics", trust_env=False)
        admin = httpx.get(f"{lrs.address}/metrics", trust_env=False, auth=lrs.as_key("admin").auth)
        told = lines_of(lrs, auth=operator_in(tmp_path))

    assert (nobody.status_code, admin.status_code) == (401, 401)
    assert "lrs operators create" in admin.json()["message"]
    assert admin.headers["www-authenticate"].startswith("Basic ")
    assert told['lrs_request_duration_seconds_count{method="GET",resource="/metrics",status="4xx"}'] == "2.0"


def test_a_path_that_names_somebody_is_counted_under_its_pattern(tmp_path):
    with serving(tmp_path, metrics_open=True) as lrs:
        httpx.get(f"{lrs.address}/t/default/api/profiles/ann", trust_env=False)
        httpx.get(f"{lrs.address}/ann", trust_env=False)

        told = lines_of(lrs)

    assert not [line for line in told if "ann" in line]


def test_metrics_tell_how_far_behind_each_destination_is_and_whether_it_is_stopped(tmp_path):
    with serving(tmp_path, metrics_open=True, outbound_allow=("127.0.0.0/8",)) as lrs:
        for name in ("first", "second"):
            access = ("key", "secret")
            forwarding.add(lrs.tenant, name, "http://127.0.0.1:9/xapi", access)
        none = lines_of(lrs)
        forwarding.pause(lrs.tenant, "second")
        paused = lines_of(lrs)
        lrs.store(statement())
        told = lines_of(lrs)

    lag = 'lrs_destination_lag_seconds{channel="xapi",destination="first",tenant="default"}'
    active = 'lrs_destination_active{channel="xapi",destination="%s",tenant="default"}'
    assert none[lag] == "0.0"
    assert 0 < float(told[lag]) < 60
    assert [each[active % "second"] for each in (none, paused, told)] == ["1.0", "0.0", "0.0"]
    assert told[active % "first"] == "1.0"


def test_a_scrape_opens_stores_for_a_while_only_and_keeps_what_it_knows_of_the_others(tmp_path, monkeypatch):
    with serving(tmp_path, metrics_open=True) as lrs:
        lrs.app.tenants.control.add("acme")
        with lrs.app.tenants.look("acme") as acme:
            for tenant, due in ((lrs.tenant, 1), (acme, 0)):
                owing = Record("profile", "p", owed=(Owed("sync", due),))
                tenant.store.write(lambda tx, owing=owing: tx.insert(owing)).result()
        monkeypatch.setattr(metrics, "LOOK_FOR", 0.0)
        without = lines_of(lrs)
        monkeypatch.setattr(metrics, "LOOK_FOR", 60.0)
        looked = lines_of(lrs)
        monkeypatch.setattr(metrics, "LOOK_FOR", 0.0)
        lrs.app.tenants.control.due.mark("acme")
        known = lines_of(lrs)

    up = 'lrs_tenant_up{tenant="%s"}'
    assert (without[up % "default"], up % "acme" in without) == ("1.0", False)
    assert (looked[up % "acme"], known[up % "acme"]) == ("1.0", "1.0")
    assert (looked['lrs_owed_waiting{step="sync"}'], float(looked['lrs_owed_lag_seconds{step="sync"}']) > 1e9) == (
        *("2.0", True),
    )


def test_what_was_owed_at_the_last_scrape_and_was_done_meanwhile_is_owed_no_more(tmp_path, monkeypatch):
    with serving(tmp_path, metrics_open=True) as lrs:
        tenants = lrs.app.tenants
        tenants.control.add("acme")
        with tenants.look("acme") as acme:
            acme.store.write(lambda tx: tx.insert(Record("profile", "p", owed=(Owed("sync"),)))).result()
        before = lines_of(lrs)
        with tenants.look("acme") as acme:
            acme.store.settle(acme.store.claim(["sync"], limit=1, lease=MINUTE), lambda _: None)
        tenants.control.due.clear("acme")  # as a worker does that finds nothing more
        after = lines_of(lrs)
        look_at, looked = metrics._look_at, []  # noqa: SLF001 (which stores are opened)
        monkeypatch.setattr(metrics, "_look_at", lambda *about: looked.append(about[1]) or look_at(*about))
        at_rest = lines_of(lrs)

    waiting = 'lrs_tenant_owed_waiting{tenant="acme"}'
    assert [each[waiting] for each in (before, after, at_rest)] == ["1.0", "0.0", "0.0"]
    assert looked == ["default"]  # which is open; a scrape opens none of those where nothing happened
