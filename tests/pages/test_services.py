"""The pages about matching services: adding one, secrets once, a test event, new secrets, and a developer's reach."""

from __future__ import annotations

import re

import pytest

from lrs.access import staff, staff_acts
from lrs.access.roles import Granted
from lrs.kernel.times import HOUR, MINUTE
from lrs.matching import registry, services
from tests.matching.world import agree, put_person, put_service, receiver, run_deliver, run_sync
from tests.pages.conftest import Site, text_of
from tests.pages.test_learners import member

LIST, MEMBERS = "/staff/services", "/staff/members"
GIVEN = {"name": "Skill Finder", "purpose": "To show you jobs that fit what you can do", "scopes": "profiles:read"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Site:
    """A site with two services, neither with a webhook; its browser is that of an administrator's key."""
    made = Site(tmp_path_factory.mktemp("services"))
    put_service(made.tenant, name="Career Converter")
    put_service(made.tenant, name="<b>Other</b> \u0639 " + "x" * 60)
    made.browser.sign_in(made.operator)
    yield made
    made.close()


def add(browser, **changed):
    return browser.send(browser.get("/staff/new-service"), LIST, **GIVEN | changed)


def secrets_in(page):
    return dict(re.findall(r'<code id="([\w-]+)">([^<]+)</code>', page.text))


def test_a_service_is_added_and_its_secrets_are_shown_once(site, browser):
    answer = add(browser, webhook="http://127.0.0.1:9/hook", contact="help@finder.example")
    shown = secrets_in(answer)
    again = browser.get(f"{LIST}/skill-finder")

    assert shown["client-id"] == "skill-finder"
    assert services.authenticate(site.tenant, "skill-finder", shown["client-secret"]) is not None
    assert shown["webhook-secret"].startswith("whsec_")
    assert not any(shown[one] in again.text for one in ("client-secret", "webhook-secret"))
    assert "help@finder.example" in again.text
    assert "Hand them to whoever makes the service, in a way that nobody else reads." in text_of(answer)
    assert site.audit()[-1] == ("service.added", f"key {site.operator.key}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"purpose": "matching"}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"name": "<>"}, "at least one letter or digit"),
        ({"name": "Career Converter"}, "exists already"),
        ({"scopes": "everything"}, "there are profiles:read, profiles:read.evidence, badges:read"),
        ({"webhook": "ftp://x.example"}, "webhook"),
        ({"privacy_notice": "javascript:alert(1)"}, "privacy notice"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(shared, changed, said):
    before = len(shared.audit())

    answer = add(shared.browser, **changed)

    assert answer.status_code in {400, 409}
    assert said in text_of(answer)
    assert 'role="alert"' in answer.text
    assert (changed.get("name") or GIVEN["name"]).replace("<>", "&lt;&gt;") in answer.text
    assert len(shared.audit()) == before


def test_the_list_is_chosen_and_taken_away_and_names_are_text(shared):
    rows = shared.browser.get(f"{LIST}.json?sort=name").json()
    table = shared.browser.get(f"{LIST}.csv?state=disabled")
    page = shared.browser.get(LIST)

    assert [one["id"] for one in rows] == ["b-other-b-" + "x" * 30, "career-converter"]
    assert table.text.count("\n") == 1
    assert "&lt;b&gt;Other&lt;/b&gt;" in page.text


def test_a_test_event_goes_the_way_of_all_events_and_its_fate_is_shown(site, browser):
    with receiver() as there:
        made = registry.register(
            site.tenant, "Finder", webhook=there.url, scopes=["profiles:read"], purpose=GIVEN["purpose"], by="test"
        )
        path = f"{LIST}/{made.service.id}"
        sent = browser.send(browser.get(path), f"{path}/test")
        waiting = text_of(browser.get(path))
        run_deliver(site.tenant)
        page = browser.get(path)

    assert sent.headers["location"] == f"{path}?done=tested"
    assert "service.test Waiting" in waiting
    assert there.events == ["service.test"]
    assert there.got[0].json["data"]["service"] == "finder"
    assert "service.test Delivered 204" in text_of(page)
    assert browser.get(f"{path}/deliveries.json").json()[0]["status"] == 204
    assert browser.get(f"{path}/deliveries.csv?state=queued").text.count("\n") == 1
    assert ("service.tested", f"key {site.operator.key}") in site.audit()


def test_a_learner_who_agreed_to_two_parts_is_counted_once_and_parts_are_told_in_words(site, browser):
    put_service(site.tenant, name="Counter")
    person = put_person(site.tenant, "mailto:counted@example.org")
    agree(site.tenant, person, "counter", scopes=("profiles:read", "gap:read"))
    run_sync(site.tenant)

    page, listed = browser.get(f"{LIST}/counter"), browser.get(LIST)

    assert "Learners it was told of, of all times 1 " in text_of(page)
    assert "What a learner still needs for a role" in text_of(listed)
    assert "gap:read" not in text_of(listed)


def test_a_test_event_that_is_refused_says_why(site, browser):
    with receiver() as there:
        there.answers = lambda _: (500, {})
        put_service(site.tenant, there.url, name="Finder")
        path = f"{LIST}/finder"
        browser.send(browser.get(path), f"{path}/test")
        run_deliver(site.tenant)

    assert "500" in text_of(browser.get(path))
    assert re.search(r"tried again at \d+ \w+ \d{4}", text_of(browser.get(path)))


def test_a_service_s_events_go_to_another_address_from_then_on_and_what_waits_too(site):
    put_service(site.tenant, "http://127.0.0.1:9/gone")
    person = put_person(site.tenant, "mailto:ana@example.org")
    agree(site.tenant, person)
    run_sync(site.tenant)
    dee = member(site, "developer", "career-converter")
    place = f"{LIST}/career-converter"

    with receiver() as receiving:
        wrong = dee.send(dee.get(place), f"{place}/webhook", webhook="ftp://example.org/")
        moved = dee.send(dee.get(place), f"{place}/webhook", webhook=receiving.url)
        run_deliver(site.tenant)

    assert wrong.status_code == 400
    assert "The webhook cannot be used: only https URLs with a host." in text_of(wrong)
    assert 'value="ftp://example.org/"' in wrong.text
    assert "Events go there from now on." in text_of(dee.get(moved.headers["location"]))
    assert receiving.events == ["consent.given", "profile.updated"]
    assert site.audit()[-1][0] == "service.set"


def test_a_service_without_a_webhook_or_that_is_disabled_is_sent_no_test(shared):
    path = f"{LIST}/career-converter"
    page = shared.browser.get(path)
    form = re.search(r'name="form" value="([^"]+)"', page.text)[1]

    answer = shared.browser.ask("POST", f"{path}/test", data={"form": form})

    assert f"{path}/test" not in page.text
    assert (answer.status_code, "has no webhook" in answer.text) == (409, True)


def test_new_secrets_work_beside_the_former_ones_until_the_overlap_ends(site, browser):
    with receiver() as there:
        made = put_service(site.tenant, there.url, name="Finder")
        path = f"{LIST}/finder"
        fresh = secrets_in(browser.send(browser.get(path), f"{path}/rotate", overlap="24"))
        both = [
            services.authenticate(site.tenant, "finder", one) for one in (made.client_secret, fresh["client-secret"])
        ]
        registry.send_test(site.tenant, "finder", by="test")
        run_deliver(site.tenant)
        told = text_of(browser.get(path))
        site.world.clock.now += 24 * HOUR - MINUTE
        last_minute = services.authenticate(site.tenant, "finder", made.client_secret)
        site.world.clock.now += MINUTE
        late = services.authenticate(site.tenant, "finder", made.client_secret)
        registry.send_test(site.tenant, "finder", by="test")
        run_deliver(site.tenant)

    assert all(both)
    assert "The former secrets work beside the new ones until" in told
    assert [len(one.headers["webhook-signature"].split()) for one in there.got] == [2, 1]
    assert (last_minute is None, late is None) == (False, True)


def test_without_an_overlap_the_former_secrets_end_at_once_and_a_strange_one_is_refused(site, browser):
    made = put_service(site.tenant, name="Finder")
    path = f"{LIST}/finder"

    strange = browser.send(browser.get(path), f"{path}/rotate", overlap="100000")
    kept = services.authenticate(site.tenant, "finder", made.client_secret)
    browser.send(browser.get(path), f"{path}/rotate", overlap="0")

    assert (strange.status_code, kept is not None) == (400, True)
    assert services.authenticate(site.tenant, "finder", made.client_secret) is None


def test_a_service_is_disabled_and_taken_back(site, browser):
    put_service(site.tenant, name="Finder")
    path = f"{LIST}/finder"

    browser.send(browser.get(path), f"{path}/state", state="disabled")
    stopped, start = browser.get(path), browser.get("/staff")
    browser.send(stopped, f"{path}/state", state="active")

    assert "Disabled" in text_of(stopped)
    assert "Matching services : 1 sent nothing at present" in text_of(start)
    assert services.get(site.tenant.store, "finder").active


def test_a_developer_sees_the_one_service_alone_and_adds_none(shared):
    developer = member(shared, "developer", "career-converter")
    other = f"{LIST}/b-other-b-" + "x" * 30

    assert [one["id"] for one in developer.get(f"{LIST}.json").json()] == ["career-converter"]
    assert "Other" not in developer.get(f"{LIST}.csv").text
    assert "Other" not in developer.get(LIST).text
    assert developer.get(f"{LIST}/career-converter").status_code == 200
    for path in (other, f"{other}/deliveries", f"{other}/deliveries.csv", f"{other}/deliveries.json"):
        assert developer.get(path).status_code == 404
    form = re.search(r'name="form" value="([^"]+)"', developer.get(LIST + "/career-converter").text)[1]
    for act in ("test", "rotate", "state"):
        assert developer.ask("POST", f"{other}/{act}", data={"form": form, "overlap": "0"}).status_code == 404
    assert developer.get("/staff/new-service").status_code == 403
    assert developer.ask("POST", LIST, data={"form": form, **GIVEN}).status_code == 403


def invite(browser, page, email, role, of):
    token = re.search(r'name="form" value="([^"]+)"', page.text)[1]
    return browser.ask("POST", MEMBERS, data={"form": token, "email": email, "role": role, "of": of})


@pytest.mark.parametrize(
    ("named", "email"),
    [
        ("Career Converter", "one@finder.example"),
        ("career converter", "two@finder.example"),
        ("career-converter", "three@finder.example"),
    ],
)
def test_a_developer_is_invited_from_the_service_by_its_name_or_its_client_id(shared, named, email):
    page = shared.browser.get(f"{LIST}/career-converter")
    link = re.search(r'href="([^"]+)">Invite its developer<', page.text)[1].replace("&amp;", "&")
    form = shared.browser.get(link.removesuffix("#invite"))

    answer = invite(shared.browser, form, email, "developer", named)

    assert 'value="developer:career-converter" selected>Developer of a service, Career Converter</option>' in form.text
    assert "is invited" in text_of(answer)
    (made,) = [one for _, one in staff.everyone(shared.tenant.store) if one.email == email]
    assert made.roles == (Granted("developer", "career-converter"),)
    assert "Invite its developer" not in member(shared, "developer", "career-converter").get(page.url.path).text


def test_a_developer_of_a_service_that_there_is_not_is_refused_with_those_there_are(shared):
    form = shared.browser.get(MEMBERS)

    answer = invite(shared.browser, form, "no@finder.example", "developer", "Career Convertor")
    nothing = invite(shared.browser, form, "no@finder.example", "", "career-converter")

    assert (answer.status_code, nothing.status_code) == (400, 400)
    assert "no matching service 'Career Convertor'" in text_of(answer)
    assert "Career Converter (career-converter)" in text_of(answer)
    assert 'value="developer:Career Convertor" selected' in answer.text
    assert "Choose the role that is for 'career-converter'" in text_of(nothing)
    assert "no@finder.example" not in {one.email for _, one in staff.everyone(shared.tenant.store)}


def test_a_developer_takes_back_only_a_service_that_its_own_receiver_stopped(site, browser):
    with receiver() as there:
        there.answers = lambda _: (410, {})
        put_service(site.tenant, there.url, name="Finder")
        path = f"{LIST}/finder"
        developer = member(site, "developer", "finder")
        registry.send_test(site.tenant, "finder", by="test")
        run_deliver(site.tenant)
        gone = developer.get(path)
    back = developer.send(gone, f"{path}/state", state="active")
    again = developer.send(gone, f"{path}/state", state="active")

    browser.send(browser.get(path), f"{path}/state", state="disabled")
    shut = developer.get(path)
    site.tenant.store.write(lambda tx: services.refuse(tx, "finder", "late", state="disabled")).result()
    refused = developer.send(gone, f"{path}/state", state="active")
    still = services.get(site.tenant.store, "finder")
    browser.send(browser.get(path), f"{path}/state", state="active")

    assert "Make it active again" in text_of(gone)
    assert (back.status_code, again.status_code) == (303, 409)
    assert "Only an administrator can take it back." in text_of(again)
    assert "Make it active again" not in text_of(shut)
    assert "ask an administrator to take it back" in text_of(shut)
    assert (refused.status_code, still.state, still.reason) == (403, "disabled", "on its page")
    assert "The service was disabled here" in text_of(refused)
    assert services.get(site.tenant.store, "finder").active


def test_a_developer_who_makes_secrets_keeps_them_and_is_not_told_to_hand_them_on(site):
    put_service(site.tenant, name="Career Converter")
    developer = member(site, "developer", "career-converter")

    made = developer.send(developer.get(f"{LIST}/career-converter"), f"{LIST}/career-converter/rotate", overlap="0")

    assert "Copy them now, and keep them where nobody else reads them." in text_of(made)
    assert "Hand them to" not in text_of(made)


def test_a_developer_whose_role_is_taken_away_can_press_nothing_more(shared):
    developer = member(shared, "developer", "career-converter")
    page = developer.get(f"{LIST}/career-converter")

    staff_acts.set_roles(shared.tenant, developer.id, [Granted("planner")], by="test")
    answer = developer.send(page, f"{LIST}/career-converter/rotate", overlap="0")

    assert answer.headers["location"].startswith("/sign-in")


def test_another_organisation_sees_no_service_of_this_one(shared):
    there = member(shared, "administrator", base="/t/other", tenant=shared.other)

    assert there.get(f"/t/other{LIST}.json").json() == []
    assert there.get(f"/t/other{LIST}/career-converter").status_code == 404


def test_the_page_for_developers_shows_the_code_that_is_run(shared):
    page = shared.browser.get("/developers")
    code = shared.browser.get("/developers/receive.py")

    assert "hmac.compare_digest(wanted, one.encode())" in page.text
    assert "def is_ours(headers, body):" in code.text
    assert shared.browser.get("/developers/other.py").status_code == 404
    assert 'href="http://127.0.0.1:8080/staff/services"' in page.text
    assert page.text.index("TOKEN=$(curl") < page.text.index("Bearer $TOKEN")
    assert "PORT=9000 python receive.py" in page.text
    assert "With profiles:read among them all has ended" in page.text
