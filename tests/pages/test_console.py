"""The console: what needs somebody, sources, mails that wait, keys, the record of actions, the system."""

import csv
import io
import re
from uuid import uuid4

import pytest

from lrs.access import one_time, staff_acts
from lrs.access.keys import create_key, revoke_key
from lrs.access.roles import Granted
from lrs.access.source_names import put_name
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY, HOUR, timestamp_of_micros
from lrs.outbox.mail import TEMPLATES, send_mail
from lrs.pages.actions import action_said
from lrs.pages.console import view as console_view
from lrs.pages.console.facts import SourceFacts, shown_settings, sources
from lrs.pages.words import MAILS_SAID
from lrs.people import questions
from lrs.storage import Owed, Record, each
from lrs.web import kept_refusals
from lrs.web.refusals import Refusal, _append
from tests.competency.world import ANN, statement
from tests.matching.world import put_service
from tests.pages.conftest import forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_work import delivery, give_up

PARTS = ("", "/sources", "/mails", "/keys", "/audit", "/system")


def owe_mail(site, **values):
    def owe(tx):
        token = one_time.make(tx, site.tenant, "staff-invitation", uuid4().hex).token
        told = {"link": f"http://127.0.0.1:8080/invitation/{token}", "until": "2099-11-17T14:05:00Z"} | values
        return send_mail(tx, site.tenant, "ann@example.org", "staff-invitation", told)

    id = site.tenant.store.write(owe).result()
    drain(site.tenant, ("deliver",))
    return id


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_there_with_nothing_in_it(browser, part):
    page = browser.get(f"/console{part}")

    assert page.status_code == 200
    assert page.text.count("<h1>") == 1
    assert 'aria-current="page"' in page.text


def test_it_says_first_what_needs_somebody_and_offers_to_do_it(site, browser):
    quiet, still = text_of(browser.get("/console")), text_of(browser.get("/staff"))
    give_up(site, Record("award", "a-1", b"nonsense", owed=(Owed("issue"),)))
    delivery(site)
    owe_mail(site)
    site.world.write(
        lambda tx: questions.ask(tx, "p1", questions.Matter("c1", "Gowning"), "Too short.", by="learner 1")
    )

    page = browser.get("/console")
    text = text_of(page)

    start = text_of(browser.get("/staff")).replace(" :", ":")
    assert "What needs you now Nothing needs you." in quiet
    assert "Nothing needs you." in still
    assert "Console: 1 mail or destination to look at" in start
    assert "Work: 2 to look at" in start
    assert "Nothing needs you." not in text
    assert "Sign and revoke badges was given up on:" in text
    assert "One mail has not gone out" in text
    assert "One question waits for an answer" in text
    assert browser.send(page, "/pages/work/retry", id="a-1").status_code == 303


def test_a_mail_that_is_held_waits_with_its_link_until_its_time_is_over(site, browser):
    owe_mail(site)
    owe_mail(site, until="2020-01-01T00:00:00Z", link="http://127.0.0.1:8080/invitation/old")

    page = browser.get("/console/mails")

    assert page.text.count("http://127.0.0.1:8080/invitation/") == 1
    assert "This address works only on this machine. Ask the operator" in text_of(page)
    assert "/invitation/old" not in page.text
    assert "No mail server is set" in page.text
    assert "Invitation to work here To ann@example.org" in text_of(page)


def test_a_mail_that_was_given_up_on_is_called_as_people_call_it(site, browser):
    (mail,) = site.tenant.store.get_many("delivery", [owe_mail(site)]).values()
    give_up(site, Record("delivery", "m-1", mail.body, {**mail.meta, "state": "queued"}, owed=(Owed("deliver"),)))

    text = text_of(browser.get("/console"))

    assert "Invitation to work here did not go out: <i>no such level</i>" in text
    assert "staff-invitation" not in text


def test_a_held_mail_whose_time_ends_while_it_waits_is_not_counted_and_shows_no_link(site, browser):
    until = site.tenant.clock() + HOUR
    owe_mail(site, until=timestamp_of_micros(until))
    before = text_of(browser.get("/console"))

    site.world.clock.now = until
    browser.sign_in(site.operator)
    page = browser.get("/console/mails")

    assert "One mail has not gone out" in before
    assert "One mail has not gone out" not in text_of(browser.get("/console"))
    assert "Its time is over since" in text_of(page)
    assert "http://127.0.0.1:8080/invitation/" not in page.text


def test_a_mail_whose_link_was_replaced_is_not_counted_and_is_discarded(site, browser):
    for _ in range(2):
        staff_acts.invite(site.tenant, "two@example.org", [Granted("steward")], by="test", root="http://x.example")
    drain(site.tenant, ("deliver",))
    page, first = browser.get("/console/mails"), text_of(browser.get("/console"))
    dead = next(form["fields"] for form in forms_of(page.text) if form["fields"].get("act") == "discard")

    answer = browser.ask("POST", "/console/mails", data=dead)
    again = browser.ask("POST", "/console/mails", data=dead)
    after = text_of(browser.get("/console/mails"))

    assert "One mail has not gone out" in first
    assert "a newer one took its place" in text_of(page)
    assert answer.headers["location"] == "/console/mails?done=mail_discarded"
    assert (again.status_code, after.count("To two@example.org"), "took its place" in after) == (404, 1, False)
    assert ("delivery.discarded", f"key {site.operator.key}") in site.audit()


def test_the_record_of_actions_names_people_and_is_searched_by_their_names(site, browser):
    member = signed_in(site, "steward", name="Zora Quill").member
    staff_acts.disable(site.tenant, member, by=f"staff {member}")

    found = text_of(browser.get("/console/audit?q=zora quill"))
    nothing = text_of(browser.get("/console/audit?q=nobody-like-this"))

    assert "staff: Zora Quill" in found
    assert "Nothing fits what you look for" in nothing
    assert "Nothing to show" not in nothing


def test_each_key_leads_to_its_page_where_it_is_revoked_after_a_question(site, browser):
    key = create_key(site.tenant, "watcher", ["statements/read"]).key

    page = browser.get(f"/connect/keys/{key}")
    answer = browser.send(page, f"/connect/keys/{key}/revoke")

    assert f'href="/connect/keys/{key}"' in browser.get("/console/keys").text
    assert "<summary>Revoke the key</summary>" in page.text
    assert "No statement comes with this key." in text_of(page)
    assert answer.status_code == 303
    assert "revoked" in str([one for one in browser.get("/console/keys.json").json() if one["key"] == key])


def test_an_old_link_that_somebody_opens_is_no_refusal_of_a_sender(site, browser):
    line = b'{"at":"2026-11-20T10:00:00Z","source":"-","tenant":"default","error":"used","status":410}\n'
    _append(site.settings.data / "refusals.jsonl", line)

    assert "-" not in {one["source"] for one in browser.get("/console/sources.json").json()}


def test_a_refusal_before_the_source_was_known_is_counted_under_that_of_its_key_or_in_words(site, browser):
    line = b'{"at":"2026-11-20T10:00:00Z","source":"-","tenant":"default","error":"forbidden","request":"r-of-key"}\n'
    _append(site.settings.data / "refusals.jsonl", line)
    kept = Refusal("2026-11-20T10:00:00Z", "Quay VLE", error="forbidden", request="r-of-key")
    site.tenant.store.write(lambda tx: kept_refusals.add(tx, "Quay VLE", [kept])).result()

    named = {one["source"]: one for one in browser.get("/console/sources.json").json()}
    (row,) = console_view.source_rows([SourceFacts("-", None, 0, False, {"unauthorized": 2}, 0)], 0, "UTC")

    assert (named["Quay VLE"]["rules"], "-" in named) == ("forbidden (1)", False)
    assert (row.values["source"], row.shown["source"]) == ("-", "Before a source was known")


def test_a_mail_that_is_not_there_cannot_be_sent_again(site, browser):
    owe_mail(site)
    page = browser.get("/account")

    answer = browser.send(page, "/sign-out")
    assert answer.status_code == 303
    assert browser.get("/console/mails").headers["location"].startswith("/sign-in")


def test_an_auditor_sees_the_record_of_actions_and_no_link(site):
    made = staff_acts.invite(site.tenant, "au@example.org", [Granted("auditor")], by="test", root="http://x.example")
    page = site.browser.get("/invitation/" + made.link.rpartition("/")[2])
    path = "/invitation/" + made.link.rpartition("/")[2]
    site.browser.send(page, path, name="Au Ditor", password="four words in row", again="four words in row")

    assert site.browser.get("/console/audit").status_code == 200
    assert site.browser.get("/console/mails").status_code == 403
    assert site.browser.get("/console/keys.csv").status_code == 403
    assert "/console/mails" not in site.browser.get("/console").text


def test_sources_tell_the_last_statement_and_what_was_refused(site, browser):
    create_key(site.tenant, "silent", ["statements/write"])
    site.world.send(statement("one"))
    refusal = Refusal(at="2026-11-20T10:00:00Z", source="silent", tenant="default", rule="4.1", status=400)
    line = b'{"at":"2026-11-20T10:00:00Z","source":"silent","tenant":"default","rule":"4.1","status":400}\n'
    lines = [line, line.replace(b'"default"', b'"other"'), line.replace(b"400", b'400,"dropped":7')]
    for one in lines:
        _append(site.settings.data / "refusals.jsonl", one)

    page = browser.get("/console/sources")
    rows = browser.get("/console/sources.json").json()

    assert refusal.source in text_of(page)
    assert {one["source"]: (one["refused"], one["rules"]) for one in rows}["silent"] == (1, "4.1 (1)")
    assert "None yet" in text_of(page)
    site.world.send(statement("two"), source="silent")
    site.world.clock.now += DAY - HOUR
    site.world.send(statement("three"), source="silent")
    within = {one.name: one.day for one in sources(site.tenant)}["silent"]
    site.world.clock.now += 2 * HOUR
    after = {one.name: (one.day, one.more) for one in sources(site.tenant)}["silent"]
    assert (within, after) == (2, (1, False))


def test_a_list_is_searched_filtered_sorted_and_taken_away_as_a_file(site, browser):
    first = create_key(site.tenant, "b", ["state"])
    create_key(site.tenant, "a", ["state"])
    revoke_key(site.tenant, first.key)

    names = [one["name"] for one in browser.get("/console/keys.json?sort=-name").json()]
    active = browser.get("/console/keys.json?state=active&q=a").json()
    table = list(csv.reader(io.StringIO(browser.get("/console/keys.csv").content.decode("utf-8-sig"))))
    page = browser.get("/console/keys?state=revoked&sort=-name")

    assert names == sorted(names, reverse=True)
    assert {one["name"] for one in active} >= {"a"}
    assert all(one["state"] == "active" for one in active)
    assert table[0] == ["Name", "Key", "May", "State"]
    assert 'href="/console/keys.csv?state=revoked&amp;sort=-name"' in page.text
    assert "1 to 1 of 1" in text_of(page)


def test_a_key_is_listed_by_the_name_of_its_source_and_what_it_may_in_words(site, browser):
    create_key(site.tenant, "first", ["all", "admin"])
    site.tenant.store.write(lambda tx: put_name(tx, "first", "The first key of this server", by="test")).result()

    words = "Manage this organisation; use everything of xAPI"
    row = re.compile(rf"The first key of this server \S+ {words} Active")
    assert row.search(text_of(browser.get("/console/keys")))
    assert words in text_of(browser.get("/connect"))
    (one,) = [one for one in browser.get("/console/keys.json").json() if one["name"] == "first"]
    assert one["scopes"] == "admin all"
    offered = [browser.get(path).text for path in ("/arrivals", "/staff/members")]
    assert not any("The first key of this server" in page for page in offered)  # no source until something comes by it


def test_the_record_of_actions_is_newest_first(browser):
    entries = browser.get("/console/audit.json").json()

    assert [one["number"] for one in entries] == sorted((one["number"] for one in entries), reverse=True)
    assert entries[0]["action"] == "session.opened"
    page = text_of(browser.get("/console/audit?action=session.opened"))
    assert "Somebody signed in session.opened" in page
    assert action_said("course-unit.moved_on", "staff 1") == "Course unit: moved on"


def test_settings_are_shown_without_secrets():
    settings = Settings(
        store_url="mongodb://us:pw1@db.example/lrs",
        smtp_url="smtp://us:pw2@mail.example",
        celery_broker="redis://:pw3@r.example",
        backup_passphrase="pw4",
    )

    told = shown_settings(settings)

    assert told["LRS_STORE_URL"] == "mongodb://…@db.example/lrs"
    assert not [value for value in told.values() if "pw" in value]


def test_another_organisation_is_told_nothing_of_the_installation(site):
    operator = create_key(site.other, "operator", ["admin"])
    site.browser.sign_in(operator, base="/t/other/pages")

    text = text_of(site.browser.get("/t/other/console/system"))

    assert "LRS_" not in text
    assert "Free on the disk" not in text


def fail(site, record, reason="the signer is away"):
    """Lets what *record* owes fail once; it is tried again in an hour."""
    store = site.tenant.store
    store.write(lambda tx: tx.insert(record)).result()
    (claim,) = [
        one for one in store.claim([record.owed[0].step], limit=9, lease=1_000_000) if one.record.id == record.id
    ]
    store.defer(claim, due=site.tenant.clock() + 3_600_000_000, error=reason)


def like_an_award(site):
    """A record about whom the first award is about, which owes a badge."""
    first = next(each(site.tenant.store, "award"))
    return Record("award", "a-9", first.body, first.meta, owed=(Owed("issue"),))


def due_now(site, id):
    return [owed.tries for record, owed in site.tenant.store.failing() if record.id == id]


def test_what_fails_names_the_learner_and_is_tried_now(site, browser):
    site.world.send(statement("one", {**ANN, "name": "Ann <b>Smith</b>"}))
    site.world.work()
    person = site.world.person(ANN)
    fail(site, like_an_award(site))
    before = due_now(site, "a-9")

    page = browser.get("/console")
    answer = browser.send(page, "/pages/work/retry", id="a-9", step="issue", kind="award")

    assert "Sign and revoke badges, about Ann <b>Smith</b>" in text_of(page)
    assert f'href="/staff/learners/{person}"' in page.text
    assert "the signer is away" in page.text
    assert answer.headers["location"] == "/console?done=retried"
    assert (before, due_now(site, "a-9")) == ([1], [])
    assert ("work.retried", f"key {site.operator.key}") in site.audit()


def test_what_is_done_meanwhile_is_not_owed_again(site, browser):
    fail(site, Record("award", "a-9", b"nonsense", owed=(Owed("issue"),)))
    page = browser.get("/console")
    site.tenant.store.write(lambda tx: tx.delete("award", "a-9")).result()

    answer = browser.send(page, "/pages/work/retry", id="a-9", step="issue", kind="award")

    assert answer.headers["location"] == "/console?done=gone"


def test_an_auditor_sees_what_fails_and_no_learner(site):
    site.world.send(statement("one", {**ANN, "name": "Ann Smith"}))
    site.world.work()
    fail(site, like_an_award(site))

    text = text_of(signed_in(site, "auditor").get("/console"))

    assert "the signer is away" in text
    assert "Ann Smith" not in text
    assert "Try now" not in text


def test_all_that_was_given_up_on_for_a_destination_is_sent_again(site, browser):
    service = put_service(site.tenant, "http://127.0.0.1:9/hook").service.id
    delivery(site, service)
    page = browser.get("/console")
    to = next(form["fields"]["to"] for form in forms_of(page.text) if form["fields"].get("to"))
    answer = browser.send(page, "/pages/work/resend", to=to)
    again = browser.send(page, "/pages/work/resend", to=to)

    assert to == service
    assert "Send all again" in page.text
    assert answer.headers["location"] == "/console?done=resent"
    assert again.headers["location"] == "/console?done=gone"
    assert "Send all again" not in browser.get("/console").text


def test_all_mails_that_wait_are_sent_and_those_whose_time_is_over_are_not(site, browser):
    first, second = owe_mail(site), owe_mail(site)
    old = owe_mail(site, until="2020-01-01T00:00:00Z")
    token = forms_of(browser.get("/console/mails").text)[0]["fields"]["form"]

    answer = browser.ask("POST", "/console/mails", data={"form": token, "id": "all"})
    over = browser.ask("POST", "/console/mails", data={"form": token, "id": old})

    states = {id: site.tenant.store.get("delivery", id).meta["state"] for id in (first, second)}
    assert answer.headers["location"] == "/console/mails?done=mails"
    assert set(states.values()) == {"queued"}
    assert over.status_code == 404


def test_each_mail_has_words_by_which_people_call_it():
    assert MAILS_SAID.keys() == TEMPLATES.keys()
