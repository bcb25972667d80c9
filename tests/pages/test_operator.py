"""The operator of the installation on the pages: how they come in, what they see and do, and what they never see."""

import json
import re

import httpx
import pyotp
import pytest
from msgspec.structs import replace

from lrs.access import operators, staff, staff_acts
from lrs.access.roles import Granted, granted
from lrs.composition.neighbours import neighbours
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB, Settings
from lrs.kernel.times import DAY, HOUR, MINUTE, SECOND
from lrs.pages.operator import view
from lrs.pages.operator.facts import InstallationFacts, OrganisationFacts, installation_facts
from lrs.serving.server import first_operator
from lrs.storage import Owed, Record
from lrs.tenancy import audit, backups
from lrs.tenancy.backups import BackupTaken
from lrs.tenancy.control import WORKER
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.record import TenantRecord
from tests.pages.conftest import Browser, text_of
from tests.pages.members import signed_in
from tests.pages.operators import Installation, operator_of
from tests.rows import each_of

PASSWORD = "four words in a row"
PARTS = ("", "/organisations", "/organisations/default", "/people", "/audit", "/system", "/begin", "/account")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("installation"))
    yield made
    made.close()


@pytest.fixture
def operator(installation):
    return installation.operator


def token(page):
    return page.text.partition('name="form" value="')[2].partition('"')[0]


def post(browser, page, action, **given):
    """Sends the form of *page* that goes to *action*."""
    return browser.ask("POST", action, data={"form": token(browser.get(page)), **given})


def entries(store):
    return [(one.action, one.by, one.about) for one, _ in audit.walk(store)]


# -- coming in --------------------------------------------------------------------------------------------------------


def test_the_first_operator_comes_in_by_a_link_says_who_they_are_and_is_led_to_the_first_step(tmp_path):
    with_nobody = Installation(tmp_path)
    with_nobody.own.store.write(lambda tx: tx.delete(staff.KIND, with_nobody.operator.member)).result()
    said = first_operator(with_nobody.tenants, 8080)
    link = "/operator/invitation/" + said.rpartition("/")[2].strip()
    browser = Browser(with_nobody.app)
    page = browser.get(link)

    given = {"email": "olga@example.org", "name": "Olga", "password": PASSWORD, "again": PASSWORD}
    wrong = browser.send(page, link, **given | {"email": "no address"})
    answer = browser.send(page, link, **given)

    assert "http://127.0.0.1:8080/operator/invitation/" in said
    assert "Operator : runs this server" in text_of(page)
    assert (wrong.status_code, "no address" in wrong.text) == (400, True)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator/begin")
    assert Browser(with_nobody.app).get(link).status_code == 410
    assert first_operator(with_nobody.tenants, 8080) == "operator:      http://127.0.0.1:8080/operator"
    assert "olga@example.org" in text_of(browser.get("/operator/account"))
    with_nobody.close()


def test_a_password_and_a_second_factor_let_an_operator_in_and_a_phone_that_is_lost_is_recovered(installation):
    own = installation.own
    made = staff_acts.invite(own, "pat@example.org", operators.ROLE, by="test", root="http://lrs.test/operator")
    browser = Browser(installation.app)
    path = made.link.removeprefix("http://lrs.test")
    browser.send(browser.get(path), path, name="Pat", password=PASSWORD, again=PASSWORD)
    page = browser.get("/operator/account/second-factor")
    secret = "".join(re.search(r"<code[^>]*>([A-Z2-7 ]{32,})<", page.text)[1].split())
    browser.send(page, "/operator/account/second-factor", code=pyotp.TOTP(secret).now())

    other = Browser(installation.app)
    asked = other.send(other.get("/operator/sign-in"), "/operator/sign-in", email="pat@example.org", password=PASSWORD)
    before = other.get("/operator").status_code
    link = staff_acts.recover(own, made.id, by="test", root="http://lrs.test/operator", without_factor=True).link
    _, found = staff.existing(own.store, made.id)

    assert "Second factor" in text_of(asked) or "code" in text_of(asked)
    assert before == 303
    assert link.startswith("http://lrs.test/operator/invitation/")
    assert found.factor is None
    assert browser.get("/operator").headers["location"] == "/operator/sign-in?done=over"


def test_the_sign_in_leads_to_the_page_that_was_asked_for_and_nowhere_else(installation):
    stranger = Browser(installation.app)

    assert stranger.get("/operator/system").headers["location"] == "/operator/sign-in?then=/operator/system"
    assert stranger.get("/operator").headers["location"] == "/operator/sign-in"
    assert 'name="then" value=""' in stranger.get("/operator/sign-in?then=https://evil.example").text
    assert 'name="then" value=""' in stranger.get("/operator/sign-in?then=/console").text


def test_no_mail_is_owed_in_the_installation_for_no_worker_looks_there(installation):
    staff_acts.invite(installation.own, "x@example.org", operators.ROLE, by="test", root="http://lrs.test/operator")

    assert installation.own.store.backlog() == []


# -- what belongs to whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_each_page_is_there_for_an_operator_and_for_nobody_of_an_organisation(installation, operator, part):
    page = operator.get(f"/operator{part}")
    administrator = signed_in(installation, "administrator")

    assert page.status_code == 200
    assert page.text.count("<h1>") == 1
    assert administrator.get("/console").status_code == 200
    assert administrator.get(f"/operator{part}").status_code == 303
    assert operator.get(f"/t/default/operator{part}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/console", "/staff", "/staff/learners", "/arrivals", "/account", "/t/default/console"]
)
def test_an_operator_is_nobody_in_an_organisation(operator, path):
    assert "/sign-in" in operator.get(path).headers["location"]


def test_the_role_of_an_operator_cannot_be_given_in_an_organisation_and_opens_nothing_there(installation):
    member = signed_in(installation, "auditor")
    store = installation.tenant.store
    record, found = staff.existing(store, member.member)
    forged = staff.Member(found.email, found.created, found.name, (Granted("operator"),), state="active")
    store.write(lambda tx: staff.put(tx, member.member, forged, tx.get(record.kind, record.id))).result()

    with pytest.raises(Refused, match="there is no role 'operator' to give"):
        granted("operator")
    assert member.get("/operator/organisations").status_code == 303
    assert member.get("/console").status_code == 403


# -- organisations ----------------------------------------------------------------------------------------------------


def test_an_organisation_is_made_gets_its_first_administrator_and_is_suspended_and_resumed(installation, operator):
    made = post(operator, "/operator/organisations", "/operator/organisations", id="acme", name="Acme <b>")
    place = "/operator/organisations/acme"
    invited = operator.send(operator.get(place), f"{place}/administrator", email="ann@acme.example")
    operator.send(operator.get(place), f"{place}/state")
    suspended, shut = text_of(operator.get(place)), installation.tenants.control.open_tenants()
    operator.send(operator.get(place), f"{place}/state")

    by = f"operator {operator.member}"
    assert made.headers["location"] == f"{place}?done=organisation_made"
    assert "http://127.0.0.1:8080/t/acme/invitation/" in invited.text
    assert "ann@acme.example (has not come yet)" in text_of(operator.get(place))
    assert ("State Suspended" in suspended, "Resume this organisation" in suspended, shut) == (True, True, ["default"])
    with installation.tenants.hold("acme") as tenant:
        told = entries(tenant.store)
    assert [(action, one) for action, one, _ in told] == [
        *(("tenant.created", by), ("staff.invited", by), ("tenant.suspended", by), ("tenant.open", by)),
    ]
    own = [
        (action, about) for action, who, about in entries(installation.own.store) if who == f"staff {operator.member}"
    ]
    assert [one for one in own if one[0].startswith("tenant.")] == [
        ("tenant.created", {"tenant": "acme"}),
        ("tenant.administrator-invited", {"tenant": "acme"}),
        ("tenant.suspended", {"tenant": "acme"}),
        ("tenant.resumed", {"tenant": "acme"}),
    ]


@pytest.mark.parametrize(
    ("id", "name", "status", "says"),
    [
        ("Bad Id", "Name", 400, "use 1 to 40 lower-case letters"),
        ("control", "Name", 400, "The short name cannot be used."),
        ("default", "Name", 409, "There is an organisation with this short name already."),
        ("new", " ", 400, "Write a name of 1 to 200 characters."),
    ],
)
def test_an_organisation_that_cannot_be_is_refused_and_what_was_typed_stays(operator, id, name, status, says):
    answer = post(operator, "/operator/organisations", "/operator/organisations", id=id, name=name)

    assert (answer.status_code, says in text_of(answer)) == (status, True)
    assert f'value="{id}"' in answer.text


def test_the_list_of_organisations_is_also_a_file(operator):
    rows = operator.get("/operator/organisations.json?q=default").json()

    assert [(one["id"], one["state"]) for one in rows] == [("default", "open")]
    assert operator.get("/operator/organisations/none").status_code == 404


# -- operators and keys -----------------------------------------------------------------------------------------------


def test_an_operator_is_invited_and_disabled_at_once_and_nobody_shuts_themselves_out(installation, operator):
    invited = operator.send(operator.get("/operator/people"), "/operator/people", email="kim@example.org")
    kim = operator_of(installation, "Kim")
    was_in = kim.get("/operator").status_code
    page = operator.get("/operator/people")

    itself = operator.ask(
        "POST", f"/operator/people/{operator.member}/state", data={"form": token(page), "state": "disabled"}
    )
    operator.send(page, f"/operator/people/{kim.member}/state")

    assert "http://127.0.0.1:8080/operator/invitation/" in invited.text
    assert (was_in, kim.get("/operator").status_code) == (200, 303)
    assert "Kim is signed out everywhere at once" in text_of(page)
    assert re.search(r"<summary>Disable.*?</summary>.*?<button class=\"danger\">Yes, disable", page.text, re.DOTALL)
    assert (itself.status_code, "You cannot disable yourself" in text_of(itself)) == (409, True)


def test_a_key_is_shown_once_opens_the_metrics_and_is_revoked(installation, operator):
    page = operator.send(operator.get("/operator/people"), "/operator/keys", name="prometheus")
    key, secret = (page.text.partition(f'id="new-{one}">')[2].partition("<")[0] for one in ("key", "secret"))
    ask = lambda: Browser(installation.app).ask("GET", "/metrics", auth=httpx.BasicAuth(key, secret)).status_code  # noqa: E731
    before = ask()

    asks = operator.get("/operator/people").text
    revoked = operator.send(operator.get("/operator/people"), f"/operator/keys/{key}/revoke")

    assert re.search(r"<summary>Revoke.*?cannot be undone.*?<button class=\"danger\">Yes, revoke it", asks, re.DOTALL)
    assert (before, revoked.status_code, ask()) == (200, 303, 401)
    assert secret not in operator.get("/operator/people").text
    assert operator.send(operator.get("/operator/people"), "/operator/keys", name="<b>").status_code == 400


# -- what needs the operator ------------------------------------------------------------------------------------------


def test_the_first_page_says_what_needs_the_operator_and_names_nothing_of_an_organisation(installation, operator):
    store = installation.tenant.store
    just_begun = text_of(operator.get("/operator"))
    installation.tenants.since -= MINUTE
    before = text_of(operator.get("/operator"))
    store.write(lambda tx: tx.insert(Record("award", "secret-award", b"x", owed=(Owed("issue"),)))).result()
    claim = next(iter(store.claim(["issue"], limit=1, lease=1_000_000)))
    store.defer(claim, due=installation.tenant.clock(), error="Ann Smith has no name", parked=True)
    store.write(lambda tx: tx.insert(Record("award", "failing-award", b"x", owed=(Owed("sync"),)))).result()
    [claim] = store.claim(["sync"], limit=1, lease=1_000_000)
    store.defer(claim, due=installation.tenant.clock() + DAY, error="Ann Smith is away")

    page = operator.get("/operator")

    assert "No worker runs" not in just_begun
    assert "No worker runs" in before
    assert "default: 1 thing was given up on. Its console says which." in text_of(page)
    assert "default: 1 thing fails and is tried again without you. Its console says which, and why." in text_of(page)
    assert "Ann Smith" not in page.text
    assert "secret-award" not in page.text


NOW = 1_795_000_000_000_000
OK = InstallationFacts(
    (), 1, (), [BackupTaken(NOW - 7 * DAY, 1, sealed=True, missing=0)], 1_024 * MIB, 2_048 * MIB, NOW - HOUR
)
FAIR = Settings(public_url="https://lrs.example", smtp_url="smtp://mail.example")
NORTH = OrganisationFacts("north", TenantRecord(NOW, name="North Centre"), seen=True)
DIED = {"at": NOW - 90 * SECOND, "count": 3, "reason": "killed"}


@each_of(
    ("found", "settings", "says"),
    [
        (OK, FAIR, []),
        (replace(OK, organisations=(replace(NORTH, lag=MINUTE),)), FAIR, []),
        (
            replace(OK, organisations=(replace(NORTH, lag=HOUR, parked=2, stopped=1), replace(NORTH, stopped=2))),
            FAIR,
            [
                "The work of North Centre is 1 h behind.",
                "North Centre: 2 things were given up on. Its console says which.",
                "North Centre: nothing is sent to 1 destination. Its console says why.",
                "North Centre: nothing is sent to 2 destinations. Its console says why.",
            ],
        ),
        (
            replace(OK, organisations=(OrganisationFacts("south", TenantRecord(NOW), "no such file"),)),
            FAIR,
            ["south cannot be opened: no such file"],
        ),
        (
            replace(OK, deaths=[DIED]),
            FAIR,
            ["A worker died 3 times in a row, last on 18 November 2026, 11:05 GMT: killed"],
        ),
        (replace(OK, workers=0), FAIR, ["No worker runs: statements are stored, and nothing follows from them."]),
        (
            replace(OK, workers=0, since=NOW - MINUTE),
            FAIR,
            ["No worker runs: statements are stored, and nothing follows from them."],
        ),
        (replace(OK, workers=0, since=NOW - MINUTE + 1), FAIR, []),  # a worker announces itself after some seconds
        (replace(OK, workers=0), FAIR.model_copy(update={"celery_broker": "redis://queue.example"}), []),
        (replace(OK, free=1_024 * MIB - 1), FAIR, ["Only 1,023 MiB are free on the disk of the store."]),
        (replace(OK, free=None), FAIR, []),
        (replace(OK, backups=[]), FAIR, ["No backup was taken of this store yet."]),
        (
            replace(OK, backups=[BackupTaken(NOW - 7 * DAY - 1, 1, sealed=True, missing=0), *OK.backups]),
            FAIR,
            ["The last backup is of 11 November 2026, 11:06 GMT."],
        ),
        (
            OK,
            FAIR.model_copy(update={"public_url": "http://lrs.example", "smtp_url": None}),
            [
                "This server has no public https address, so badges can be looked up by nobody else.",
                "No mail server is set: mails wait with their links in the console of each organisation.",
            ],
        ),
    ],
)
def test_each_thing_that_needs_the_operator_is_said_and_nothing_else(found, settings, says):
    assert [one["text"] for one in view.needs(found, settings, NOW, "Europe/London")] == says


def test_a_worker_runs_as_long_as_it_was_seen_within_a_minute(installation):
    control = installation.tenants.control
    now = control.clock()
    for name, seen in (("gone", now - MINUTE), ("there", now + MINUTE)):
        control.store.write(lambda tx, name=name, seen=seen: tx.put(Record(WORKER, name, meta={"seen": seen}))).result()

    found = installation_facts(installation.tenants, neighbours())
    for name in ("gone", "there"):
        control.leave(name)

    assert found.workers == 1
    assert ("Workers that run", "1") in view.room(found)


def test_a_backup_that_was_taken_is_told_with_its_size_and_whether_it_is_whole(installation, operator):
    store, now = installation.own.store, installation.own.clock()
    before = operator.get("/operator").text
    for number in range(25):
        taken = BackupTaken(now - (25 - number) * 1_000_000, 5 * 1_048_576, sealed=True, missing=number % 2)
        store.write(lambda tx, taken=taken, number=number: backups.note(tx, f"b-{number}", taken)).result()

    page = text_of(operator.get("/operator/system"))

    assert 'passphrase-file FILE</code> <a href="/operator/system#backups">What to do</a>' in before
    assert "No backup" not in text_of(operator.get("/operator"))
    assert ("5.0 MiB" in page, "In it, sealed" in page, "1 missing" in page) == (True, True, True)
    ago = [(now - one.at) // 1_000_000 for one in backups.newest(store)]
    assert ago == list(range(1, backups.KEPT + 1))


def test_settings_are_told_without_secrets(tmp_path):
    made = Installation(tmp_path, smtp_url="smtp://us:hidden-word-1@mail.example")
    page, needs = made.operator.get("/operator/system"), text_of(made.operator.get("/operator"))
    made.close()

    assert "No backup was taken of this store yet." in needs
    assert "No mail server is set" not in needs
    assert "LRS_SMTP_URL" in page.text
    assert "hidden-word-1" not in page.text


def test_what_operators_did_is_searched_and_taken_away_as_a_file(operator):
    rows = operator.get("/operator/audit.json?action=session.opened").json()
    table = operator.get("/operator/audit.csv").content.decode("utf-8-sig").splitlines()

    assert {one["action"] for one in rows} == {"session.opened"}
    assert table[0] == "Number,When,Who,What,About"


def test_two_processes_that_start_at_once_share_one_installation(tmp_path):
    one = Installation(tmp_path)
    other = Tenants(one.settings)

    assert other.installation.secret("tries") == one.own.secret("tries")
    assert json.loads(one.own.store.get("wrapped-key", "root/1").body)["v"] == 1
    other.close()
    one.close()
