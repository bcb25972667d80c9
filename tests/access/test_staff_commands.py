"""``lrs staff``, ``lrs oidc`` and ``lrs persons invite``: what they do, and what they say when they cannot."""

import csv
import json

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from lrs.access import learners, sessions, staff
from lrs.access.oidc import providers
from lrs.access.roles import Granted
from lrs.access.sessions import BY_KEY, list_sessions, open_session
from lrs.access.staff import ACTIVE, Member
from lrs.cli import main
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR, timestamp_of_micros
from lrs.people import sign_in
from lrs.tenancy.pages import SERVED, note_port
from lrs.tenancy.tenants import open_tenant
from tests.matching.world import put_person, put_service

ISSUER = "https://id.centre.example"


@pytest.fixture
def data(tmp_path):
    open_tenant(Settings(data=tmp_path)).store.close()
    return tmp_path


def run(data, *words, env=None):
    return CliRunner().invoke(main, [*map(str, words), "--data", str(data)], env=env)


def done(data, *words, env=None):
    answer = run(data, *words, env=env)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def in_store(data, read):
    tenant = open_tenant(Settings(data=data))
    try:
        return read(tenant)
    finally:
        tenant.store.close()


def test_an_invitation_prints_a_link_at_the_configured_address_or_on_this_machine(data):
    plain = json.loads(done(data, "staff", "invite", "sam@centre.example", "--role", "steward", "--json"))
    public = {"LRS_PUBLIC_URL": "https://lrs.example.org/engraft", "LRS_PAGES_URL": "https://people.example.org"}
    named = json.loads(
        done(data, "staff", "invite", "kim@centre.example", "--role", "provider:north", "--json", env=public)
    )

    assert plain["link"].startswith("http://127.0.0.1:8080/invitation/")
    assert named["link"].startswith("https://people.example.org/engraft/invitation/")


def test_a_link_leads_to_the_port_of_the_last_server_where_no_address_is_set(data):
    note_port(Settings(data=data), 8311)
    plain = json.loads(done(data, "staff", "invite", "sam@centre.example", "--role", "steward", "--json"))
    set_one = {"LRS_PAGES_URL": "https://people.example.org"}
    named = json.loads(done(data, "staff", "recover", "sam@centre.example", "--json", env=set_one))
    (data / SERVED).write_text("nonsense")
    usual = json.loads(done(data, "staff", "recover", "sam@centre.example", "--json"))

    told = [one["link"].partition("/invitation/")[0] for one in (plain, named, usual)]
    assert told == ["http://127.0.0.1:8311", "https://people.example.org", "http://127.0.0.1:8080"]


def test_roles_are_given_and_taken_and_sessions_end(data):
    id = json.loads(done(data, "staff", "invite", "sam@centre.example", "--role", "steward", "--json"))["id"]
    in_store(data, lambda tenant: open_session(tenant, f"staff {id}", BY_KEY))

    told = done(data, "staff", "role", "SAM@centre.example", "--give", "provider:north", "--take", "steward")

    assert told == "SAM@centre.example: provider:north\n"
    assert in_store(data, lambda tenant: staff.member(tenant.store, id).roles) == (Granted("provider", "north"),)
    assert in_store(data, lambda tenant: list_sessions(tenant.store, tenant.clock())) == []


def test_a_role_that_is_not_held_cannot_be_taken_and_nothing_is_given_beside_it(data):
    id = json.loads(done(data, "staff", "invite", "sam@centre.example", "--role", "trainer:north", "--json"))["id"]

    wrong = run(data, "staff", "role", "sam@centre.example", "--give", "steward", "--take", "trainer:nrth")

    said = "Error: not held: trainer:nrth. There is: trainer:north\n"
    assert (wrong.exit_code, wrong.stderr, wrong.stdout) == (1, said, "")
    assert in_store(data, lambda tenant: staff.member(tenant.store, id).roles) == (Granted("trainer", "north"),)


def test_a_developers_service_is_named_by_its_name_or_its_client_id_and_must_be_there(data):
    in_store(data, lambda tenant: put_service(tenant, name="Job Finder"))
    id = json.loads(done(data, "staff", "invite", "dev@finder.example", "--role", "developer:Job Finder", "--json"))[
        "id"
    ]
    invited = in_store(data, lambda tenant: staff.member(tenant.store, id).roles)

    unknown = [
        run(data, "staff", "invite", "eve@finder.example", "--role", "developer:Job Find"),
        run(data, "staff", "role", "dev@finder.example", "--give", "developer:Job Find"),
        run(
            data, "oidc", "add", "centre", "--issuer", ISSUER, "--client-id", "x", "--group", "devs=developer:Job Find"
        ),
    ]
    add = ("oidc", "add", "centre", "--issuer", ISSUER, "--client-id", "x", "--label", "The Centre")
    done(data, *add, "--group", "devs=developer:Job Finder")
    taken = done(data, "staff", "role", "dev@finder.example", "--give", "steward", "--take", "developer:Job Finder")

    assert invited == (Granted("developer", "job-finder"),)
    assert [one.exit_code != 0 and "Job Finder (job-finder)" in one.output for one in unknown] == [True] * 3
    (provider,) = in_store(data, lambda tenant: list(providers.everyone(tenant.store)))
    assert provider.groups == (("devs", (Granted("developer", "job-finder"),)),)
    assert provider.label == "The Centre"
    assert taken == "dev@finder.example: steward\n"


def test_who_is_signed_in_is_listed_since_when_and_when_last_seen_and_is_signed_out(data):
    def sign_in(tenant):
        an_hour_ago = tenant.clock() - HOUR
        token = tenant.store.write(lambda tx: sessions.open_in(tx, "staff s-1", an_hour_ago, sessions.BY_KEY)).result()
        return sessions.find_session(tenant, token).id, an_hour_ago

    id, an_hour_ago = in_store(data, sign_in)

    (told,) = json.loads(done(data, "sessions", "list", "--json"))
    ended = done(data, "sessions", "end", id)
    again = run(data, "sessions", "end", id)

    assert (told["id"], told["who"], told["opened"]) == (id, "staff s-1", timestamp_of_micros(an_hour_ago))
    assert told["seen"][:19] > told["opened"][:19]
    assert (ended, again.exit_code, in_store(data, lambda tenant: list_sessions(tenant.store, tenant.clock()))) == (
        *(f"ended {id}\n", 1),
        [],
    )


def test_who_is_disabled_stands_in_the_list_and_can_be_let_in_again(data):
    done(data, "staff", "invite", "sam@centre.example", "--role", "steward")

    done(data, "staff", "disable", "sam@centre.example")
    [disabled] = json.loads(done(data, "staff", "list", "--json"))
    done(data, "staff", "enable", "sam@centre.example")
    [enabled] = json.loads(done(data, "staff", "list", "--json"))

    assert (disabled["state"], enabled["state"]) == ("withdrawn", "invited")


def test_the_list_of_staff_has_roles_given_by_hand_and_those_that_follow_from_groups(data):
    kim = Member("kim@centre.example", 0, "Kim", (Granted("steward"),), state=ACTIVE, password="kept")
    kim = replace(kim, by_group=(Granted("provider", "north"), Granted("steward")))
    in_store(data, lambda tenant: tenant.store.write(lambda tx: staff.put(tx, "kim", kim)).result())

    [told] = json.loads(done(data, "staff", "list", "--json"))

    assert told["roles"] == ["steward", "provider:north"]


def test_who_has_come_in_is_disabled_and_let_in_again_and_it_is_said_so(data):
    ann = Member("ann@centre.example", 0, "Ann", (Granted("steward"),), state=ACTIVE, password="kept")
    in_store(data, lambda tenant: tenant.store.write(lambda tx: staff.put(tx, "ann", ann)).result())
    done(data, "operators", "invite", "olu@centre.example")
    told, states = [], []
    for act in ("disable", "enable"):
        told += [done(data, *who).strip() for who in (("staff", act, "ann"), ("operators", act, "olu@centre.example"))]
        members = json.loads(done(data, "staff", "list", "--json"))
        operators = json.loads(done(data, "operators", "people", "--json"))
        states.append([one["state"] for one in (*members, *operators)])

    assert told == [
        "ann is disabled; lrs staff enable lets them in again",
        "olu@centre.example is disabled; lrs operators enable lets them in again",
        "ann can sign in again",
        "olu@centre.example can sign in again",
    ]
    assert states == [["disabled", "withdrawn"], ["active", "invited"]]


def test_what_is_revoked_or_removed_is_said_so_and_stands_in_the_list_as_that(data):
    key = json.loads(done(data, "keys", "create", "--name", "vle", "--json"))["key"]
    done(data, "oidc", "add", "uni", "--issuer", ISSUER, "--client-id", "x")
    operators = json.loads(done(data, "operators", "create", "--name", "prometheus", "--json"))["key"]

    told = [done(data, *words) for words in (("keys", "revoke", key), ("operators", "revoke", operators))]
    removed, again = done(data, "oidc", "remove", "uni"), run(data, "oidc", "remove", "uni")

    assert (again.exit_code, "there is no sign-in provider 'uni'" in again.stderr) == (1, True)
    assert (*told, removed) == (f"revoked {key}\n", f"revoked {operators}\n", "removed uni\n")
    states = [json.loads(done(data, group, "list", "--json")) for group in ("keys", "operators", "oidc")]
    assert [[one.get("state") for one in some] for some in states] == [["revoked"], ["revoked"], []]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("staff", "invite", "sam", "--role", "steward"), "This is no e-mail address"),
        (("staff", "invite", "sam@centre.example", "--role", "king"), "there is no role 'king' to give"),
        (("staff", "invite", "sam@centre.example", "--role", "provider"), "write it like provider:NAME"),
        (("staff", "role", "nobody", "--give", "steward"), "there is no member of staff 'nobody'"),
        (("staff", "recover", "nobody"), "there is no member of staff 'nobody'"),
        (("staff", "sign-in", "nobody"), "there is no member of staff 'nobody'"),
        (("operators", "sign-in", "nobody"), "there is no operator 'nobody'"),
        (("oidc", "add", "Uni", "--issuer", "https://a.example", "--client-id", "x"), "lower-case letters"),
        (("oidc", "add", "uni", "--issuer", "https://a.example?x", "--client-id", "x"), "no query"),
        (("oidc", "add", "uni", "--issuer", "a.example", "--client-id", "x"), "is no address"),
        (("oidc", "add", "uni", "--issuer", "https://a.example", "--client-id", "x", "--group", "a"), "write it like"),
        (("oidc", "remove", "uni"), "there is no sign-in provider 'uni'"),
        (("keys", "revoke", "default.1"), "there is no key 'default.1'; lrs keys list shows them"),
        (("operators", "revoke", "_operator.1"), "there is no key '_operator.1'; lrs operators list shows them"),
        (("sessions", "end", "1"), "there is no session '1'; lrs sessions list shows them"),
        (("persons", "invite", "nobody@example.org"), "Nobody is known as 'nobody@example.org': write an"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data, words, says):
    answer = run(data, *words)

    assert answer.exit_code in {1, 2}
    assert says in answer.stderr
    assert "Traceback" not in answer.output


def test_a_provider_is_kept_with_its_secret_hidden(data):
    more = ("--for", "both", "--group", "admins=administrator", "--group", "admins=auditor", "--host", "b.example")
    made = ("oidc", "add", "uni", "--issuer", "https://a.example", "--client-id", "engraft", *more)

    told = done(data, *made, env={"LRS_SECRET": "a secret"})
    listed = done(data, "oidc", "list", "--json")

    assert "http://127.0.0.1:8080/sign-in/return" in told
    assert "a secret" not in listed
    [one] = json.loads(listed)
    assert (one["for"], one["groups"], one["hosts"]) == (
        "both",
        {"admins": ["administrator", "auditor"]},
        ["b.example"],
    )

    def kept(tenant):
        found = providers.provider(tenant.store, "uni")
        return "a secret" in (found.secret or ""), providers.secret_of(tenant, found)

    assert in_store(data, kept) == (False, "a secret")


def test_a_list_of_learners_is_invited_and_who_is_unknown_is_named(data, tmp_path):
    mailbox = "mailto:ann@example.org"
    in_store(data, lambda tenant: put_person(tenant, mailbox))
    table = tmp_path / "list.csv"
    with table.open("w", newline="") as file:
        rows = [("Learner", "E-mail"), (mailbox.removeprefix("mailto:"), "new@example.org"), ("ghost@example.org", "")]
        csv.writer(file).writerows(rows)

    answer = run(data, "persons", "invite", "--list", table, "--json")

    told = json.loads(answer.stdout)
    [invited] = told["invited"]
    [failed] = told["failed"]
    assert failed["learner"] == "ghost@example.org"
    assert failed["reason"].startswith("Nobody is known as 'ghost@example.org': write an e-mail address, an account or")
    assert invited["link"].startswith("http://127.0.0.1:8080/invitation/")

    def use(tenant):
        sign_in.use_invitation(tenant, invited["link"].rpartition("/")[2], BY_KEY)
        return learners.account_of(tenant.store, invited["person"]).addresses

    assert in_store(data, use) == ("new@example.org",)
    nobody = run(data, "persons", "invite", "ghost@example.org")
    assert (answer.exit_code, nobody.exit_code) == (0, 1)  # a list fails only if nobody of it was invited
    assert "nobody was invited" in nobody.stderr


def test_a_list_without_its_column_is_refused(data, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("email,other\na@example.org,x\n")

    answer = run(data, "persons", "invite", "--list", table)

    assert answer.exit_code == 1
    assert "the file needs a column learner" in answer.stderr
