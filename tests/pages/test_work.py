"""The page about the work: what waits, fails or was given up on, imports, services; and trying again."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from adapters.imports.before import MARK, READ, read_documents
from adapters.imports.job import Job, JobError, Sender, record_of
from lrs.composition.entries import entry_names
from lrs.composition.steps import STEPS as EVERY_STEP
from lrs.composition.steps import drain, undone
from lrs.matching import registry, services
from lrs.outbox import deliveries
from lrs.pages.words import lasting
from lrs.pages.work_view import STEPS
from lrs.storage import Owed, Record, Walk
from lrs.web.dates import written_moment, written_result_time, written_timestamp
from lrs.xapi.documents.content import keep
from lrs.xapi.documents.resources import ACTIVITY_PROFILE, Address
from tests.competency.world import statement
from tests.pages.conftest import text_of
from tests.rows import each_of
from tests.transfer import forwarding

LEDGER = "https://w3id.org/engraft/ledgers/eportfolio/North%20%26%20Sons"


def put(site, record):
    site.world.write(lambda tx: tx.insert(record))


def give_up(site, record):
    """Puts *record* in the store, and aside what it owes."""
    put(site, record)
    claim = next(one for one in site.tenant.store.claim(["issue", "deliver"], limit=9, lease=1_000_000))
    site.tenant.store.defer(claim, due=site.world.clock(), error="<i>no such level</i>", parked=True)


def delivery(site, service="career-converter"):
    body = {"service": service, "event": "profile.updated", "person": "p", "subject": "s", "version": 1}
    record = Record("delivery", "d-1", json.dumps(body).encode(), {"state": "queued"}, owed=(Owed("deliver"),))
    give_up(site, record)


def noted(site, runs, activity=LEDGER, document="runs"):
    """A document as an import of version 0.2 left it, read by the worker of now."""
    content = keep(site.tenant.store, "application/json", json.dumps(runs).encode())
    address = Address(ACTIVITY_PROFILE.kind, activity, "", document=document)
    meta = {"type": content.type, "etag": content.etag, "document": document, "activity": activity}
    if content.blob:
        meta["blob"] = content.blob
    put(site, Record(address.kind, address.id, b"" if content.blob else content.body, meta, address.keys))
    site.world.write(lambda tx: tx.delete(MARK, READ))
    read_documents(site.tenant)


def test_where_nothing_is_the_matter_each_part_says_what_to_do(quiet):
    text = text_of(quiet.browser.get("/pages/work"))

    assert "Nothing needs you." in text
    assert "Nothing is owed: every statement has been read" in text
    assert "Nothing fails at present." in text
    assert "Nothing was given up on." in text
    assert "No delivery was given up on" in text
    assert "None is connected. One is added under Services." in text
    assert "No statement has come in yet." in text
    assert "No file has come in. One is brought in under Imports" in text


def test_each_step_of_the_work_is_called_something():
    assert STEPS.keys() == set(EVERY_STEP)


@each_of(
    ("step", "kind", "says"),
    [
        ("match", "statement", "the statement proves nothing"),
        ("match", "rematch", "statements from before are not all read again: those that are not count by the rules"),
        ("sync", "consent", "the service is not told of this consent"),
        ("sync", "profile", "services are told nothing new of the learner"),
        ("deliver", "destination", "nothing more is sent there"),
        ("deliver", "delivery", "its destination has not heard of it"),
        ("a step of a later version", "x", "what follows from it is not done"),
    ],
)
def test_what_is_undone_as_long_as_work_is_put_aside_depends_on_what_owes_it(step, kind, says):
    assert undone(step, kind).startswith(says)


def test_work_on_what_names_nobody_by_person_is_said_to_be_about_whom_its_identifiers_name(site):
    site.world.send(statement("one", {"name": "Ann Smith", "mbox": "mailto:ann@example.org"}))
    site.world.work()
    ann, store = site.world.person({"mbox": "mailto:ann@example.org"}), site.tenant.store
    (evidence,), (person,) = (store.find(Walk(kind)).records for kind in ("evidence", "person"))
    (head,) = store.find(Walk("ruleset", newest_first=True, limit=1)).records

    about = [entry_names(site.tenant, one) for one in (evidence, person, head, replace(evidence, body=b"nonsense"))]

    assert [(one.person, one.name) for one in about] == [(ann, "Ann Smith")] * 2 + [("", "")] * 2


def test_what_waits_is_told_with_how_far_behind_it_is(site, browser):
    site.world.send(statement("one"))
    site.world.clock.now += 185_000_000
    put(site, Record("person", "p", b'{"v":1}', {"into": None, "members": ["p"]}, owed=(_evaluated_in_june(),)))

    text = text_of(browser.get("/pages/work"))

    assert "Read statements by the rules match 1 3 min behind 0" in text
    assert "Work is behind by more than a minute: Read statements by the rules." in text
    assert "Nothing needs you." not in text
    assert (
        "Work out what people hold evaluate 0 Nothing now; 1 planned for later, the first for 1 June 2027, 01:00 BST 0"
        in text
    )


def _evaluated_in_june():
    return Owed("evaluate", due=1_811_808_000_000_000)


def test_what_failed_and_will_be_tried_again_is_told_with_its_reason(site, browser):
    put(site, Record("award", "a-1", b"nonsense", owed=(Owed("issue"),)))
    drain(site.tenant, ["issue"])

    text = text_of(browser.get("/pages/work"))

    assert "Sign and revoke badges award a-1" in text
    assert "JSON is malformed" in text
    assert "Some work failed and is tried again by itself: see failing" in text
    assert "Nothing needs you." not in text


def test_what_was_given_up_on_is_tried_again_at_the_press_of_a_button(site, browser):
    give_up(site, Record("award", "a-1", b"nonsense", owed=(Owed("issue"),)))
    page = browser.get("/pages/work")

    answer = browser.send(page, "/pages/work/retry")
    after = browser.get(answer.headers["location"])

    assert "1 thing needs somebody" in text_of(page)
    assert "&lt;i&gt;no such level&lt;/i&gt;" in page.text
    assert "Until it is tried again, the badge is neither issued nor revoked" in text_of(page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/work?done=retried")
    assert "It is tried again now." in text_of(after)
    assert site.tenant.store.parked() == []
    assert [claim.record.id for claim in site.tenant.store.claim(["issue"], limit=9, lease=1_000_000)] == ["a-1"]
    assert site.audit()[-1] == ("work.retried", f"key {site.operator.key}")


def test_a_second_press_finds_nothing_to_do(site, browser):
    give_up(site, Record("award", "a-1", b"nonsense", owed=(Owed("issue"),)))
    page = browser.get("/pages/work")
    browser.send(page, "/pages/work/retry")

    answer = browser.send(page, "/pages/work/retry")

    assert answer.headers["location"] == "/pages/work?done=gone"
    assert [action for action, _ in site.audit()].count("work.retried") == 1


def test_a_delivery_that_failed_is_sent_again(site, browser):
    delivery(site)
    page = browser.get("/pages/work")

    answer = browser.send(page, "/pages/work/resend")

    assert "career-converter profile.updated" in text_of(page)
    assert "Nothing but the deliveries below." in text_of(page)
    assert "Nothing was given up on." not in text_of(page)
    assert answer.headers["location"] == "/pages/work?done=resent"
    assert site.tenant.store.parked() == []
    assert site.tenant.store.get(deliveries.KIND, "d-1").meta == {"state": "queued"}
    assert site.audit()[-1] == ("delivery.resent", f"key {site.operator.key}")


def test_resending_an_unknown_delivery_is_404(site, browser):
    delivery(site)

    answer = browser.send(browser.get("/pages/work"), "/pages/work/resend", id="d-2")

    assert (answer.status_code, "There is no delivery d-2." in text_of(answer)) == (404, True)
    assert site.audit()[-1][0] == "session.opened"


def test_recent_imports_are_told_newest_first_with_the_rows_to_repair(site, browser):
    row = {"sheet": "", "row": 17, "column": "uln", "reason": "<u>no ULN</u>"}
    noted(
        site,
        {
            "old.csv": {"sha256": "", "at": "2026-11-01T10:00:00+00:00", "counts": {"new": 3, "skipped": 0}},
            "new.csv": {
                "sha256": "",
                "at": "2026-11-20T10:00:00+00:00",
                "counts": {"new": 14, "quarantined": 11},
                "quarantine": [row] * 11,
            },
        },
    )

    page = browser.get("/pages/work")
    text = text_of(page)

    assert text.index(
        "new.csv North & Sons eportfolio 20 November 2026, 10:00 GMT 14 new, 11 to repair 11 rows"
    ) < text.index("old.csv North & Sons eportfolio 1 November 2026, 10:00 GMT 3 new None")
    assert "row 17, column uln: &lt;u&gt;no ULN&lt;/u&gt;" in page.text
    assert "And 1 more: the returned file names each." in text
    assert "Rows of files wait to be repaired: see recent imports" in text
    assert "Nothing needs you." not in text


def test_an_import_that_failed_says_why_and_one_that_runs_that_it_does(site, browser):
    for number, more in enumerate(({"state": "failed", "problem": JobError(503, "x", "it was given up")}, {})):
        job = Job(
            str(number), "eportfolio", "north", f"{number}.csv", Sender("north", "{}"), site.world.clock(), **more
        )
        put(site, record_of(job))

    text = text_of(browser.get("/pages/work"))

    assert re.search(r"0\.csv north eportfolio \d+ \w+ 20\d\d, \d\d:\d\d", text)
    assert "Failed it was given up None" in text
    assert "Waiting None" in text


def test_a_large_ledger_is_read_from_where_it_lies_and_what_is_none_is_left_out(site, browser):
    run = {
        "sha256": "",
        "at": "2026-11-20T10:00:00+00:00",
        "counts": {"new": 1},
        "quarantine": [{"reason": "x" * 300_000}],
    }
    noted(site, {"large.csv": run})
    noted(site, {"nonsense": 3}, activity=f"{LEDGER}-2")
    noted(site, {"other.csv": run}, activity="https://example.org/course")
    noted(site, {"page.csv": run}, document="page-0")

    text = text_of(browser.get("/pages/work"))

    assert "large.csv" in text
    assert not any(name in text for name in ("nonsense", "other.csv", "page.csv"))


def test_a_service_that_was_disabled_is_told_with_what_to_do(site, browser):
    for name in ("Career Converter", "Gone"):
        registry.register(
            site.tenant,
            name,
            webhook="http://127.0.0.1:9/hook",
            scopes=["profiles:read"],
            purpose="To suggest jobs",
            by="test",
        )
    site.world.write(lambda tx: services.disable(tx, "gone", "it answered 410 Gone", by="test"))
    registry.add_employer(site.tenant, "Cell Works", registry.AboutService(), by="test")

    text = text_of(browser.get("/pages/work"))

    assert "Career Converter Active http://127.0.0.1:9/hook Competencies, levels, dates and badges" in text
    assert "Cell Works Active Nowhere: it looks at its page here Skills, levels, and until when" in text
    assert "Gone Disabled: it answered 410 Gone. Once it is put right, make it active again under Services" in text
    assert "1 thing needs somebody" in text


def test_statements_no_rule_is_about_are_counted(site, browser):
    for number in range(3):
        site.world.send(statement(f"other {number}", activity="https://vle.example/other"))
    site.world.send(statement("known"))
    site.world.send(statement("voided", activity="https://vle.example/voided"))
    site.world.void(statement("voided")["id"])
    put(site, Record("statement", "unreadable", b"nonsense", {"source": "vle"}))

    text = text_of(browser.get("/pages/work"))

    assert (
        "3 of the newest statements are about nothing that a rule in force knows"
        " (4 were looked at, by the 2 rules in force)." in text
    )
    assert "https://vle.example/other http://adlnet.gov/expapi/verbs/passed 3" in text


@pytest.mark.parametrize(
    ("micros", "shown"),
    [(0, "0 s"), (59_999_999, "59 s"), (60_000_000, "1 min"), (7_199_000_000, "1 h"), (200_000_000_000, "2 d")],
)
def test_durations_are_told_in_the_largest_unit_that_fits(micros, shown):
    assert lasting(micros) == shown


def test_times_are_told_in_the_zone_of_the_reader():
    assert written_moment(1_795_000_000_000_000, "Europe/London") == "18 November 2026, 11:06 GMT"
    assert written_timestamp("2026-07-01T12:00:00Z", "Europe/London") == "1 July 2026, 13:00 BST"
    assert written_timestamp("2026-07-01T12:00:00", "Europe/London") == "2026-07-01T12:00:00"
    assert written_timestamp("soon", "Europe/London") == "soon"


@pytest.mark.parametrize(
    ("timestamp", "written"),
    [
        ("2026-07-20T00:00:00Z", "20 July 2026"),
        ("2026-07-20T00:00:00.000+01:00", "20 July 2026"),
        ("2026-07-19T23:00:00Z", "20 July 2026"),
        ("2026-07-20T00:00:00+05:00", "20 July 2026"),
        ("2026-07-20T00:00:01Z", "20 July 2026, 01:00 BST"),
        ("soon", "soon"),
    ],
)
def test_a_result_at_midnight_has_a_day_and_no_time(timestamp, written):
    assert written_result_time(timestamp, "Europe/London") == written


def test_each_destination_is_shown_with_how_far_behind_it_is(site, browser):
    for name in ("national", "regional"):
        forwarding.add(site.tenant, name, "https://lrs.invalid/xapi")
    site.world.send(statement("one"))
    site.world.clock.now += 185_000_000
    forwarding.pause(site.tenant, "regional")

    text = text_of(browser.get("/pages/work"))

    assert "national xapi Active 3 min behind" in text
    told = "regional xapi Paused since [^:]+:[^:]+: by command. Once it is put right: lrs forward resume regional"
    assert re.search(f"{told} 3 min behind", text)
