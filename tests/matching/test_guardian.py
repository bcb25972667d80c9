"""Learners under age: a guardian is asked by a link that decides once, and nothing is shared before they agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from hashlib import sha1
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from lrs.access.learners import SUBJECT, open_account
from lrs.access.sessions import open_session
from lrs.cli import main
from lrs.composition.channels import mail_text
from lrs.kernel.errors import Refused
from lrs.matching import changes, services
from lrs.matching.consent import answers, consent, links, own_address, withdrawal
from lrs.matching.consent.answers import Posted
from lrs.matching.consent.commands import subjects_named
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.under_age import is_under_age
from lrs.matching.registry import Registered
from lrs.outbox.mail import Mail
from lrs.people import joins, minors
from lrs.people.persons import ensure, minter
from lrs.storage import each
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    HOUR,
    Clock,
    answer_form,
    bearer,
    held,
    identifier,
    put_person,
    put_profile,
    run_sync,
    tenant_in,
    web,
)

ANA = "mailto:ana@example.org"
ASKS = {"age": "under", "name": "Ana <b>of</b> Cardiff", "guardian": "mum@example.org"}
NAMES = ["<script>alert(1)</script>", "W" * 300, "مرحبا", "Ana"]


@pytest.fixture
def tenant(tmp_path: Path, clock: Clock) -> Iterator[Tenant]:
    with tenant_in(tmp_path, clock) as opened:
        with closing(open_control(opened.settings, clock=clock)) as control:
            control.change("default", lambda record, _: msgspec.structs.replace(record, consent_age=18))
        yield opened


def ask(client: httpx.Client, made: Registered, **wish: Any) -> str:
    body = {"reference": "17", "learner": {"mbox": ANA}, **wish}
    return client.post("/api/links", headers=bearer(client, made), json=body).json()["link"]


def mails(tenant: Tenant) -> list[Mail]:
    kept = [record for record in each(tenant.store, "delivery") if record.meta["channel"] == "email"]
    return [msgspec.json.decode(record.body, type=Mail) for record in kept]


def guardians_link(tenant: Tenant) -> str:
    (link,) = answers.waiting(tenant.store)
    return answers.guardian_address(tenant, link, "")


def given(tenant: Tenant) -> list[tuple[str, str, bool]]:
    return [(one.scope, one.how, one.withdrawn is None) for one in consent.everything(tenant.store)]


def heading(page: httpx.Response) -> str:
    return re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)[1])


def audited(tenant: Tenant) -> list[str]:
    return [msgspec.json.decode(one.body)["action"] for one in each(tenant.store, "audit")]


def as_set(tenant: Tenant) -> Tenant:
    """The tenant as it is with the age that was set after it was opened."""
    with closing(open_control(tenant.settings, clock=tenant.clock)) as control:
        return replace(tenant, record=control.get("default"))


def sign_in(client: httpx.Client, tenant: Tenant, person: str) -> None:
    tenant.store.write(lambda tx: open_account(tx, person, address="ana@example.org", by="test")).result()
    client.cookies.set("engraft.default", open_session(tenant, SUBJECT + person))


def test_what_a_learner_under_age_agreed_to_counts_only_with_the_guardian(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link = ask(client, made)
    waits = answer_form(client, link, scope=["gap:read"], **ASKS)
    before, mail = given(tenant), mails(tenant)
    page = client.get(guardians_link(tenant))
    agreed = answer_form(client, guardians_link(tenant))
    later = client.get(link)

    assert (heading(waits), before) == ("A parent or guardian must agree, too", [])
    assert [(one.address, one.template) for one in mail] == [("mum@example.org", "guardian")]
    assert heading(page) == "May Career Converter see these skills?"
    assert "Ana &lt;b&gt;of&lt;/b&gt; Cardiff" in page.text
    assert heading(agreed) == heading(later) == "A parent or guardian agreed"
    own = "You can also sign in to your own page"
    assert (own in agreed.text, own in later.text) == (False, True)
    assert given(tenant) == [("profiles:read", "guardian", True), ("gap:read", "guardian", True)]
    assert {"consent.guardian-asked", "consent.guardian-agreed", "consent.given"} <= set(audited(tenant))


def test_a_guardian_who_does_not_agree_decides_it_once(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    link = ask(client, made)
    answer_form(client, link, **ASKS)
    theirs = guardians_link(tenant)
    form = re.search(r'name="form" value="([^"]+)"', client.get(theirs).text)[1]

    client.post(theirs, data={"form": form, "answer": "refuse"})
    again = client.post(theirs, data={"form": form, "answer": "agree"}, follow_redirects=True)

    assert heading(again) == heading(client.get(link)) == "A parent or guardian did not agree"
    assert given(tenant) == []


def test_a_guardian_can_stop_what_they_agreed_to(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    link = ask(client, made)
    answer_form(client, link, **ASKS)
    theirs = guardians_link(tenant)
    answer_form(client, theirs)

    stopped = answer_form(client, theirs, "stop")

    assert heading(stopped) == heading(client.get(link)) == "Stopped"
    assert {holds for _, _, holds in given(tenant)} == {False}


def test_a_learner_who_waits_can_take_it_back(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    link = ask(client, made)
    answer_form(client, link, **ASKS)
    theirs = guardians_link(tenant)

    taken_back = answer_form(client, link, "stop")

    assert heading(taken_back) == heading(client.get(theirs)) == "You did not agree"
    assert answers.waiting(tenant.store) == []


def test_what_is_stopped_anywhere_waits_for_no_guardian(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    person = put_person(tenant, ANA)
    first, second = ask(client, made), ask(client, made)
    for link in (first, second):
        answer_form(client, link, scope=["gap:read"], **ASKS)
    theirs = [answers.guardian_address(tenant, link, "") for link in answers.waiting(tenant.store)]
    sign_in(client, tenant, person)
    listed = client.get("/me/sharing").text
    data = ("--data", str(tenant.settings.data))

    one_scope = CliRunner().invoke(main, ["consent", "withdraw", "ana@example.org", "--scope", "gap:read", *data])
    left = [link.agreed for link in answers.waiting(tenant.store)]
    form = re.search(r'name="form" value="([^"]+)"', listed)[1]
    stopped = client.post("/me/sharing/stop", data={"form": form, "service": made.service.id})
    headings = [heading(client.get(address)) for address in theirs]

    assert "It sees nothing through this before a parent or guardian agrees, too." in listed
    assert (one_scope.output, left) == ("withdrawn: career-converter gap:read\n", [("profiles:read",)] * 2)
    assert stopped.headers["location"] == "/me/sharing?done=stopped"
    assert (headings, given(tenant)) == (["You did not agree"] * 2, [])
    assert audited(tenant).count("consent.taken-back") == 4
    again = tenant.store.write(lambda tx: withdrawal.withdraw(tx, [consent.Subject(person=person)], by="test"))
    assert again.result() == []


def test_a_link_stays_with_whoever_answered_it_signed_in_though_its_name_turns_out_to_be_anothers(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person, other = put_person(tenant, ANA), put_person(tenant, "mailto:ana@school.example")
    tenant.store.write(lambda tx: joins.merge(tx, person, other, "test")).result()
    sign_in(client, tenant, person)
    answer_form(client, ask(client, made, learner={"mbox": "mailto:ana@school.example"}), **ASKS)
    tenant.store.write(lambda tx: joins.unmerge(tx, other, "test")).result()
    theirs, receipt = guardians_link(tenant), answers.waiting(tenant.store)[0].receipt
    tenant.store.write(lambda tx: open_account(tx, person, address="mum@example.org", by="test")).result()
    answered = answer_form(client, theirs)
    with pytest.raises(Refused, match="own"):
        answers.renew_guardian(tenant, receipt, "mum@example.org", Posted("", "en"), by="test")
    listed = client.get("/me/sharing").text
    form = re.search(r'name="form" value="([^"]+)"', listed)[1]

    stopped = client.post("/me/sharing/stop", data={"form": form, "service": made.service.id})

    assert (answered.status_code, given(tenant)) == (403, [])
    assert "It sees nothing through this before a parent or guardian agrees, too." in listed
    assert stopped.headers["location"] == "/me/sharing?done=stopped"
    assert (answers.waiting(tenant.store), heading(client.get(theirs))) == ([], "You did not agree")


def test_without_the_scope_that_all_others_need_nothing_is_left_to_wait_for_a_guardian(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    answer_form(client, ask(client, made), scope=["gap:read"], **ASKS)
    theirs, subjects = guardians_link(tenant), subjects_named(tenant, "ana@example.org")

    of_another = tenant.store.write(lambda tx: withdrawal.withdraw(tx, subjects, by="test", service="other")).result()
    left = len(answers.waiting(tenant.store))
    ended = tenant.store.write(lambda tx: withdrawal.withdraw(tx, subjects, by="test", scope="profiles:read")).result()

    assert (of_another, left) == ([], 1)
    assert sorted(one.scope for one in ended) == ["gap:read", "profiles:read"]
    assert answers.waiting(tenant.store) == []
    assert heading(client.get(theirs)) == "You did not agree"


def test_a_learner_is_not_their_own_guardian(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    person = put_person(tenant, ANA)
    mixed = {"mbox": "mailto:Bea@Example.org"}  # nobody is known by it
    own = [
        answer_form(client, ask(client, made), **ASKS | {"guardian": "Ana@example.org"}),
        answer_form(client, ask(client, made, learner=mixed), **ASKS | {"guardian": "bea@example.org"}),
    ]
    by_number = {"account": {"homePage": "https://vle.example", "name": "17"}}
    known, mint = identifier(tenant, by_number), minter(tenant.secret("person-ids"))
    other = tenant.store.write(lambda tx: ensure(tx, [known], mint)).result()[known.id]
    tenant.store.write(lambda tx: joins.merge(tx, person, other, "test")).result()
    asked = answer_form(client, ask(client, made, learner=by_number), **ASKS | {"guardian": "ANA@example.org"})
    answered = answer_form(client, guardians_link(tenant))
    receipt = answers.waiting(tenant.store)[0].receipt
    with pytest.raises(Refused, match="own"):
        answers.renew_guardian(tenant, receipt, "ana@EXAMPLE.org", Posted("", "en"), by="test")
    sign_in(client, tenant, person)
    tenant.store.write(lambda tx: open_account(tx, person, address="me@home.example", by="test")).result()
    own.append(answer_form(client, ask(client, made, learner=by_number), **ASKS | {"guardian": "Me@home.example"}))

    assert [(page.status_code, page.text.count("This is your own address.")) for page in own] == [(400, 2)] * 3
    assert heading(asked) == "A parent or guardian must agree, too"  # signed out, nothing is told of who is known
    assert (answered.status_code, given(tenant)) == (403, [])
    assert "went to an address of the learner" in answered.text


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        ({"age": ""}, "Say how old you are."),
        ({"age": "old"}, "Say how old you are."),
        ({"name": ""}, "Write your name"),
        ({"name": "x" * 301}, "Write your name"),
        ({"name": "مرحبا \u202eana"}, "Write your name"),
        ({"guardian": "mum"}, "This is no e-mail address."),
        ({"guardian": "a@example.org,b@example.org"}, "This is no e-mail address."),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(
    tenant: Tenant, made: Registered, client: httpx.Client, filled: dict[str, str], says: str
) -> None:
    page = answer_form(client, ask(client, made), scope=["gap:read"], **ASKS | filled)

    assert page.status_code == 400
    assert page.text.count(says) == 2  # on top, and beside the field
    assert re.search(r'value="gap:read" checked', page.text)
    assert re.search(r'id="(age|name|guardian)"[^>]* aria-invalid="true"', page.text)
    assert (given(tenant), answers.waiting(tenant.store)) == ([], [])


def test_who_is_of_age_decides_alone_and_who_refuses_need_not_say_how_old_they_are(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    alone = answer_form(client, ask(client, made), age="of_age", scope=[])
    refused = answer_form(client, ask(client, made), "refuse")

    assert (heading(alone), heading(refused)) == ("You agreed", "You did not agree")
    assert given(tenant) == [("profiles:read", "link", True)]


def test_a_learner_whom_staff_noted_as_under_age_cannot_say_otherwise(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person = put_person(tenant, ANA)
    tenant.store.write(lambda tx: minors.note(tx, person, date(2026, 11, 20), by="test")).result()
    link = ask(client, made)

    alone = ask(client, made)
    signed_out = answer_form(client, alone, age="of_age")
    stranger = answer_form(client, ask(client, made, learner={"mbox": "mailto:who@example.org"}), age="of_age")
    sign_in(client, tenant, person)
    before = answer_form(client, link, age="of_age")
    does_not_hold = client.get(alone)
    client.cookies.clear()
    tenant.clock.now += 48 * HOUR  # it is the 20th then
    sign_in(client, tenant, person)
    after = answer_form(client, ask(client, made), age="of_age")

    assert (signed_out.status_code, stranger.status_code) == (200, 200)  # nobody is told who is known and noted
    assert heading(signed_out) == heading(stranger) == "You agreed"
    assert before.status_code == 400
    assert "has noted that you are younger" in before.text
    assert heading(does_not_hold) == "You agreed, and that has ended"
    assert heading(after) == "You agreed"


def test_a_learner_is_under_age_until_the_day_begins_where_the_organisation_is(tenant: Tenant) -> None:
    person, half_past_midnight = put_person(tenant, ANA), 1_814_398_200_000_000  # 30 June 2027, 23:30 UTC
    tenant.store.write(lambda tx: minors.note(tx, person, date(2027, 7, 1), by="test")).result()
    times = (half_past_midnight - HOUR, half_past_midnight)

    assert [is_under_age(as_set(tenant), tenant.store, [person], at) for at in times] == [True, False]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_whatever_stands_in_it(
    tenant: Tenant, made: Registered, client: httpx.Client, name: str
) -> None:
    answer_form(client, ask(client, made), **ASKS | {"name": name})

    page = client.get(guardians_link(tenant))

    assert page.status_code == 200
    assert "<script>" not in page.text
    assert f'<bdi class="strong">{name.replace("<", "&lt;").replace(">", "&gt;")}</bdi>' in page.text


def test_the_learners_skills_are_shown_to_the_guardian_only_if_the_learner_was_signed_in(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person = put_person(tenant, ANA)
    put_profile(tenant, person, held("gown"))
    answer_form(client, ask(client, made), **ASKS)
    by_anybody = client.get(guardians_link(tenant)).text
    (first,) = answers.waiting(tenant.store)
    answers.stop(tenant, first.id, by="test")
    sign_in(client, tenant, person)
    answer_form(client, ask(client, made), **ASKS)
    by_the_learner = client.get(guardians_link(tenant)).text

    assert "About gown" not in by_anybody
    assert "About gown" in by_the_learner


def test_an_address_of_which_only_the_hash_is_known_and_one_that_is_signed_in_with_are_the_learners_own(
    tenant: Tenant, made: Registered
) -> None:
    known = identifier(tenant, {"mbox_sha1sum": sha1(b"mailto:ana@home.example").hexdigest()})
    mint = minter(tenant.secret("person-ids"))
    ana = tenant.store.write(lambda tx: ensure(tx, [known], mint)).result()[known.id]
    joined = put_person(tenant, "mailto:ana@work.example")
    tenant.store.write(lambda tx: joins.merge(tx, ana, joined, "test")).result()
    tenant.store.write(lambda tx: open_account(tx, joined, address="Ana@mail.example", by="test")).result()
    link = links.mint(tenant, made.service, links.Wish(Subject(person=ana)), id="x", by="service x")
    asked = ("ana@home.example", "ANA@HOME.EXAMPLE", "Ana@Work.example", "ana@mail.example", "mum@home.example")

    own = [own_address.is_learners(tenant.store, tenant, link, one) for one in asked]

    assert own == [True, True, True, True, False]


def test_a_guardians_link_ends_after_14_days_and_when_a_newer_one_is_made(
    tenant: Tenant, made: Registered, client: httpx.Client, clock: Clock
) -> None:
    link = ask(client, made)
    answer_form(client, link, **ASKS | {"guardian": ""})
    receipt = answers.waiting(tenant.store)[0].receipt
    first, none_sent = guardians_link(tenant), mails(tenant)
    second = answers.renew_guardian(tenant, receipt.lower(), "dad@example.org", Posted("", "cy"), by="test")
    replaced, works = client.get(first), client.get(second)
    clock.now += 14 * 24 * HOUR
    late = client.get(second)

    assert none_sent == []
    assert [(one.address, one.language) for one in mails(tenant)] == [("dad@example.org", "cy")]
    assert (replaced.status_code, works.status_code, late.status_code) == (404, 200, 410)
    assert "A newer link took the place of this one." in replaced.text
    assert "good for 14 days" in late.text
    assert heading(client.get(link)) == "No parent or guardian answered in time"


def test_a_guardians_link_that_is_made_up_or_of_a_service_that_is_gone_opens_nothing(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    answer_form(client, ask(client, made), **ASKS)
    theirs = guardians_link(tenant)
    guessed = [client.get(theirs[:-3] + "AAA"), client.get("/guardian/x"), client.get(f"/guardian/{'A' * 3_000}")]
    tenant.store.write(lambda tx: services.disable(tx, made.service.id, "test", by="test")).result()
    gone = client.get(theirs)

    assert [page.status_code for page in guessed] == [404] * 3
    assert (gone.status_code, "no longer connected" in gone.text) == (410, True)


def test_a_form_of_the_learners_page_does_not_answer_for_the_guardian(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    link = ask(client, made)
    waits = answer_form(client, link, **ASKS)
    form = re.search(r'name="form" value="([^"]+)"', waits.text)[1]
    cookie = {"Cookie": f"consent={client.cookies.get('consent', path=httpx.URL(link).path)}"}
    client.cookies.clear()

    answer = client.post(guardians_link(tenant), data={"form": form, "answer": "agree"}, headers=cookie)

    assert answer.status_code == 400
    assert given(tenant) == []


def test_the_mail_to_a_guardian_is_in_the_learners_language_and_names_nobody(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    client.cookies.set("engraft.language", "cy")
    answer_form(client, ask(client, made), **ASKS)
    (mail,) = mails(tenant)

    letter = mail_text(tenant, mail)

    assert letter.subject == "Gofynnir am eich cytundeb yn Engraft"
    assert "tan 2 Rhagfyr 2026, 11:06 GMT" in letter.text
    assert 'lang="cy"' in letter.html
    assert "Cardiff" not in letter.subject + letter.text + letter.html
    assert f"http://127.0.0.1:{client.base_url.port}/guardian/" in letter.text


def test_an_organisation_that_asks_no_guardian_asks_for_no_age(tenant: Tenant, made: Registered) -> None:
    with closing(open_control(tenant.settings, clock=tenant.clock)) as control:
        control.change("default", lambda record, _: msgspec.structs.replace(record, guardian=False))
    with web(tenant) as client:
        link = ask(client, made)
        page = client.get(link)
        answered = answer_form(client, link)

    assert 'name="age"' not in page.text
    assert heading(answered) == "You agreed"


def test_staff_see_what_waits_and_make_a_link_to_hand_over(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    answer_form(client, ask(client, made), **ASKS)
    (waits,) = answers.waiting(tenant.store)
    data = ("--data", str(tenant.settings.data))

    listed = CliRunner().invoke(main, ["consent", "waiting", "--json", *data])
    link = CliRunner().invoke(main, ["consent", "guardian", waits.receipt, *data]).output.strip()
    shown = CliRunner().invoke(main, ["consent", "show", f" {waits.receipt.lower()}", *data]).output
    answer_form(client, link.replace("http://127.0.0.1:8080", ""))
    again = CliRunner().invoke(main, ["consent", "guardian", waits.receipt, *data])

    assert [one["learner"] for one in msgspec.json.decode(listed.stdout)] == ["Ana <b>of</b> Cardiff"]
    assert [one.address for one in mails(tenant)] == ["mum@example.org"]  # when the learner asked, and not again
    assert "mum@example.org" in shown
    assert (again.exit_code, "no guardian is asked under" in again.output) == (1, True)


def test_an_operator_who_writes_consent_down_says_that_the_guardian_agreed(tenant: Tenant, made: Registered) -> None:
    put_person(tenant, ANA)
    data = ("--data", str(tenant.settings.data))

    noted = CliRunner().invoke(main, ["persons", "under-age", "ana@example.org", *data])
    without = CliRunner().invoke(main, ["consent", "give", "ana@example.org", made.service.id, *data])
    with_it = CliRunner().invoke(
        main, ["consent", "give", "ana@example.org", made.service.id, "--guardian-agreed", *data]
    )
    cleared = CliRunner().invoke(main, ["persons", "under-age", "ana@example.org", "--no", *data])

    assert (noted.exit_code, without.exit_code, with_it.exit_code, cleared.exit_code) == (0, 1, 0, 0)
    assert "--guardian-agreed" in without.output
    assert {"person.under-age", "person.of-age"} <= set(audited(tenant))


def test_what_a_guardian_says_on_paper_gives_nothing_to_a_service_that_is_gone(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    answer_form(client, ask(client, made), **ASKS)
    receipt = answers.waiting(tenant.store)[0].receipt
    tenant.store.write(lambda tx: services.disable(tx, made.service.id, "closed down", by="test")).result()

    with pytest.raises(Refused, match="no longer connected"):
        answers.write_down(tenant, receipt, agree=True, by="test")
    refused = answers.write_down(tenant, receipt, agree=False, by="test")

    assert (refused.state, given(tenant)) == ("refused", [])


def test_a_consent_that_waits_reaches_nobody(tenant: Tenant, made: Registered, client: httpx.Client) -> None:
    person = put_person(tenant, ANA)
    put_profile(tenant, person, held("gown"))
    answer_form(client, ask(client, made), **ASKS)
    run_sync(tenant)

    feed = client.get("/api/profiles", headers=bearer(client, made)).json()

    assert feed["profiles"] == []


def test_what_somebody_under_age_agreed_to_alone_shows_nothing_whenever_the_note_or_the_join_came(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    def seen() -> list[tuple[bool, bool]]:
        run_sync(as_set(tenant))
        told = [bool(changes.read(record).scopes) for record in each(tenant.store, changes.KIND)]
        feed = client.get("/api/profiles", headers=bearer(client, made)).json()
        return list(zip(told, [not one["deleted"] for one in feed["profiles"]], strict=True))

    ana = put_person(tenant, ANA)
    tenant.store.write(lambda tx: minors.note(tx, ana, None, by="test")).result()
    answer_form(client, ask(client, made, learner={"mbox": "mailto:Ana@example.org"}), age="of_age")
    other = put_person(tenant, "mailto:Ana@example.org")
    put_profile(tenant, other, held("gown"))
    stages = [seen()]
    tenant.store.write(lambda tx: joins.merge(tx, ana, other, "test")).result()
    stages.append(seen())
    tenant.store.write(lambda tx: minors.clear(tx, ana, by="test")).result()
    stages.append(seen())
    tenant.store.write(lambda tx: minors.note(tx, other, None, by="test")).result()
    stages.append(seen())
    sign_in(client, tenant, ana)
    page = client.get("/me/sharing").text
    answer_form(client, ask(client, made), **ASKS)
    answer_form(client, guardians_link(tenant))

    assert stages == [[(seen, seen)] for seen in (True, False, True, False)]
    assert "You agreed alone, and a parent or guardian must agree, too." in page
    assert {(how, holds) for _, how, holds in given(tenant)} == {("link", True), ("guardian", True)}


def test_deciding_without_a_guardian_who_is_needed_is_refused(
    tenant: Tenant, made: Registered, client: httpx.Client
) -> None:
    person = put_person(tenant, ANA)
    tenant.store.write(lambda tx: minors.note(tx, person, None, by="test")).result()
    token = ask(client, made).rpartition("/")[2]
    with pytest.raises(Refused, match="guardian must agree"):
        answers.decide(as_set(tenant), token, answers.ConsentAnswer(agree=True, person=person), Posted("", "en"))
