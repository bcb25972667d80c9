"""Each role against each line of the table of rights: whom it lets past stands here once more, by hand."""

import pytest

from lrs.access import ALL, OWN, OWN_LEARNERS, OWN_SERVICE, SELF, SESSION, Caller
from lrs.access.policy.table import TABLE, admit
from lrs.access.roles import OF_STAFF, ROLES, Granted, granted, rights_of_roles
from lrs.kernel.errors import Refused

ACCOUNT = {
    ("POST", "/sign-out"),
    ("GET", "/account"),
    ("POST", "/account/name"),
    ("POST", "/account/password"),
    ("POST", "/account/sessions"),
    ("POST", "/account/address"),
    ("POST", "/account/close"),
    ("GET", "/account/second-factor"),
    ("POST", "/account/second-factor"),
    ("POST", "/account/second-factor/off"),
}
"""What everybody who is signed in may ask."""
ACCOUNT_OF_OPERATOR = {
    ("POST", "/operator/sign-out"),
    ("GET", "/operator/account"),
    *(("POST", f"/operator/account/{what}") for what in ("name", "password", "sessions", "second-factor")),
    ("GET", "/operator/account/second-factor"),
    ("POST", "/operator/account/second-factor/off"),
}
"""The same for operators, whom another cookie signs in: their sessions are in a store of their own."""
MEMBERS = {
    ("GET", "/staff/members"),
    ("POST", "/staff/members"),
    ("POST", "/staff/members/{id}/roles"),
    ("POST", "/staff/members/{id}/state"),
    ("POST", "/staff/members/{id}/recovery"),
}
START = {("GET", "/staff")}
LEARNERS = {
    ("GET", f"/staff/learners{form}") for form in ("", ".csv", ".json", "/{person}", "/{person}/apprenticeship")
}
LEARNERS |= {("POST", "/staff/learners")}
ABOUT_LEARNERS = {
    ("POST", "/staff/learners/{person}/withdraw"),
    ("GET", "/pages/badges/{id}"),
    ("GET", "/staff/consents/{receipt}"),
    ("POST", "/staff/consents/{receipt}"),
}
IMPORTS = {("GET", f"/staff/imports{form}") for form in ("", ".csv", ".json", "/{id}", "/{id}/file", "/{id}/repairs")}
IMPORTS |= {("GET", f"/staff/imports/{{id}}/rows{form}") for form in ("", ".csv", ".json")}
IMPORTS |= {("POST", f"/staff/imports{form}") for form in ("", "/{id}/columns", "/{id}/cells", "/{id}/bring")}
SERVICES = {("GET", f"/staff/services{form}") for form in ("", ".csv", ".json", "/{id}")}
SERVICES |= {("GET", f"/staff/services/{{id}}/deliveries{form}") for form in ("", ".csv", ".json")}
SERVICES |= {("POST", f"/staff/services/{{id}}/{act}") for act in ("test", "webhook", "rotate", "state")}
JOINING = {("GET", f"/staff/same-person{form}") for form in ("", ".csv", ".json", "/{one}/{other}")}
QUESTIONS = {("GET", f"/staff/questions{form}") for form in ("", ".csv", ".json", "/{id}")}
QUESTIONS |= {("POST", "/staff/questions/{id}")}
QUESTIONS |= {
    (method, f"/staff/learners/{{person}}/{what}") for method in ("GET", "POST") for what in ("correct", "prior")
}
QUESTIONS |= {("POST", "/staff/learners/{person}/prior/remove")}
INVITING = {("POST", "/staff/learners/{person}/invite"), ("GET", "/staff/invitations"), ("POST", "/staff/invitations")}
INVITING |= {("POST", "/staff/learners/{person}/ask")}
STOPPING = {(method, path) for method in ("GET", "POST") for path in ("/staff/badge/{id}", "/staff/revoke-badges")}
STOPPING |= {("POST", "/staff/learners/{person}/name")}
STOPPING |= {(method, "/staff/learners/{person}/route") for method in ("GET", "POST")}
JOINING |= {("POST", f"/staff/same-person{pair}") for pair in ("", "/{one}/{other}")}
ADDING = {("POST", "/staff/services"), ("GET", "/staff/new-service")}
IMPORTS |= {("GET", f"/staff/missing-learners{form}") for form in ("", ".csv", ".json")}
IMPORTS |= {("GET", f"/staff/columns{form}") for form in ("", ".csv", ".json")} | {("POST", "/staff/columns")}
RULES = {("GET", f"/staff/rules{form}") for form in ("", ".csv", ".json")} | {("POST", "/staff/rules")}
RULES |= {("GET", "/staff/rules/ready.csv")}
RULES |= {("GET", f"/staff/rules/versions/{{version}}/rules{form}") for form in ("", ".csv", ".json")}
RULES |= {("GET", f"/staff/rules/drafts/{{id}}/changes{form}") for form in ("", ".csv", ".json")}
RULES |= {("POST", f"/staff/rules/{act}") for act in ("restore", "drafts/{id}/apply")}
RULES |= {("GET", f"/staff/badges{form}") for form in ("", ".csv", ".json", "/{achievement}")}
RULES |= {("GET", "/staff/badges/{achievement}/image.svg")}
RULES |= {("POST", f"/staff/badges/{{achievement}}{act}") for act in ("", "/endorse", "/image", "/image/remove")}
RULES |= {("POST", "/staff/badge/{id}/endorse"), ("POST", "/staff/issuers/remove"), ("POST", "/staff/event-codes/end")}
RULES |= {("GET", f"/staff/{table}{form}") for table in ("issuers", "event-codes") for form in ("", ".csv", ".json")}
RULES |= {("POST", f"/staff/{table}") for table in ("issuers", "event-codes")}
WORK = {("POST", "/pages/work/retry"), ("POST", "/pages/work/resend")}
AUDIT = {("GET", f"/console/audit{form}") for form in ("", ".csv", ".json")}
LOOKING = {("GET", "/pages/work"), ("GET", "/console")}
LOOKING |= {("GET", f"/console/sources{form}") for form in ("", ".csv", ".json")}
MANAGING = {("GET", "/console/mails"), ("POST", "/console/mails"), ("GET", "/console/system")}
MANAGING |= {("GET", f"/console/keys{form}") for form in ("", ".csv", ".json")}
MANAGING |= {("GET", f"/staff/badge-keys{form}") for form in ("", ".csv", ".json")}
MANAGING |= {("POST", "/connect/sources/{source}/name")}
MANAGING |= {("POST", "/staff/badge-keys"), ("POST", "/staff/badge-keys/compromised")}
OWN_DATA = {("GET", "/me/data"), ("GET", "/me/data.json")}
OWN_RECORD = {("GET", "/me"), ("GET", "/me/roles"), ("GET", "/me/badges/{id}"), ("GET", "/me/sharing"), *OWN_DATA}
OWN_RECORD |= {("POST", "/me/questions"), ("POST", "/me/sharing/stop")}
OWN_RECORD |= {("GET", "/me/code"), ("POST", "/me/code")}
OWN_RECORD |= {("GET", "/me/badges/{id}/take"), ("POST", "/me/badges/{id}/take")}
OWN_RECORD |= {
    ("GET", "/me/occupation"),
    ("POST", "/me/occupation"),
    ("GET", "/me/prior"),
    ("POST", "/me/prior"),
    ("GET", "/me/apprenticeship"),
}
OWN_RECORD |= {("GET", "/me/courses"), ("POST", "/me/courses/{id}"), ("POST", "/me/prior/remove")}
CONNECT = {("GET", f"/connect{form}") for form in ("", ".csv", ".json")}
CONNECT |= {("GET", "/connect/{platform}"), ("POST", "/connect/{platform}"), ("GET", "/connect/{platform}/rules.csv")}
CONNECT |= {(method, "/connect/sources/{source}") for method in ("GET", "POST")}
CONNECT |= {("POST", f"/arrivals/quarantine{end}") for end in ("", "/{id}")}
CONNECT |= {("GET", "/connect/keys/{key}"), ("POST", "/connect/keys/{key}/revoke")}
LMS = {("GET", f"/staff/lms{form}") for form in ("", ".csv", ".json", "/new", "/canvas.json", "/platforms/{id}")}
LMS |= {("POST", f"/staff/lms{act}") for act in ("", "/new", "/withdraw")}
LMS |= {("GET", "/staff/lms/platforms/{id}/results")}
APPROVING = {("POST", f"/staff/lms/platforms/{{id}}/{what}") for what in ("state", "deployments", "remove", "results")}
FORMS = ("", ".csv", ".json")
ARRIVALS = {("GET", f"/arrivals{form}") for form in ("", ".csv", ".json", "/statements/{id}")} | {("POST", "/arrivals")}
ARRIVALS |= {("GET", f"/arrivals/course{form}") for form in ("", ".csv", ".json")}
ARRIVALS |= {("GET", f"/arrivals/quarantine{form}") for form in ("", ".csv", ".json", "/{id}")}
OPENING = {("GET", f"/staff/courses{form}") for form in ("", ".csv", ".json", "/{id}", "/{id}/rules.csv")}
OPENING |= {("POST", "/staff/courses/{id}/open"), *((one, "/staff/courses/{id}/chosen") for one in ("GET", "POST"))}
RULES |= {("POST", "/staff/courses/{id}/rules")}
COURSES = {("GET", f"/staff/courses/{{id}}/learners{form}") for form in ("", ".csv", ".json")}
COURSES |= {("POST", f"/staff/courses{act}") for act in ("", "/{id}/withdraw", "/{id}/try", "/{id}/catalogue")}
COURSES |= {("GET", "/staff/courses/{id}/learners/{registration}")}
COURSES |= {("POST", f"/staff/courses/{{id}}/learners/{{registration}}/{act}") for act in ("launch", "waive", "end")}
COURSES |= OPENING
SESSIONS = {("GET", f"/staff/sessions{form}") for form in (*FORMS, "/{id}", "/{id}/steps/{step}", "/{id}/people/{who}")}
SIGNING = {("POST", "/staff/sessions/{id}/people/{who}/sign")}
RUNNING = {("GET", "/staff/new-session"), ("POST", "/staff/sessions"), ("GET", "/staff/sessions/{id}/close")}
RUNNING |= {("POST", f"/staff/sessions/{{id}}/{act}") for act in ("people", "attendance", "version", "close", "change")}
RUNNING |= {("GET", "/staff/sessions/{id}/change")}
RUNNING |= {("POST", f"/staff/sessions/{{id}}/{one}") for one in ("steps/{step}", "people/{who}")}
CHECKLISTS = {("GET", f"/staff/checklists{form}") for form in (*FORMS, "/{id}")} | {("POST", "/staff/checklists")}
CATALOGUE = {("GET", f"/staff/catalogue{form}") for form in (*FORMS, "/{id}")} | {("POST", "/staff/catalogue")}
PLANNING = {("GET", f"/planning{form}") for form in FORMS} | {("POST", "/planning"), ("POST", "/planning/files")}
PROTECTING = {("POST", f"/planning/{what}") for what in ("regions", "smallest")}
OWN_RECORD |= {("GET", "/me/plan"), ("POST", "/me/plan")}
INSTALLATION = {("GET", f"/operator{page}") for page in ("", "/system", "/people", "/begin", "/organisations/{id}")}
INSTALLATION |= {("GET", f"/operator/{table}{form}") for table in ("audit", "organisations") for form in FORMS}
INSTALLATION |= {("POST", f"/operator/organisations{act}") for act in ("", "/{id}/state", "/{id}/administrator")}
INSTALLATION |= {("POST", f"/operator/{act}") for act in ("people", "people/{id}/state", "keys", "keys/{key}/revoke")}
INSTALLATION |= {("POST", "/operator/begin/{step}")}
SEEN = {
    "administrator": (
        START
        | MEMBERS
        | LEARNERS
        | ABOUT_LEARNERS
        | SERVICES
        | ADDING
        | JOINING
        | QUESTIONS
        | INVITING
        | STOPPING
        | IMPORTS
        | RULES
        | WORK
        | LOOKING
        | AUDIT
        | MANAGING
        | CONNECT
        | LMS
        | APPROVING
        | COURSES
        | ARRIVALS
        | SESSIONS
        | SIGNING
        | RUNNING
        | CHECKLISTS
        | CATALOGUE
        | PLANNING
        | PROTECTING
    ),
    "auditor": START | LOOKING | AUDIT,
    "author": START | CONNECT | LMS | COURSES | ARRIVALS,
    "developer": START | SERVICES,
    "planner": START | PLANNING,
    "employer": START | {("POST", "/employer"), *(("GET", f"/employer{form}") for form in ("", ".csv", ".json"))},
    "trainer": START | LEARNERS | QUESTIONS | ARRIVALS | SESSIONS | SIGNING | RUNNING | CHECKLISTS,
    "assessor": START | LEARNERS | QUESTIONS | SESSIONS | SIGNING,
    "steward": START | IMPORTS | RULES | OPENING | CATALOGUE | LEARNERS | QUESTIONS | JOINING | INVITING | STOPPING,
    "provider": START
    | LEARNERS
    | QUESTIONS
    | IMPORTS
    | {
        ("GET", f"/provider{form}")
        for form in ("", ".csv", ".json", *(f"/apprentices{end}" for end in ("", ".csv", ".json")))
    },
    "learner": OWN_RECORD,
    "operator": INSTALLATION,
}
"""What each role may ask besides."""
NOT_ASKED_YET = {
    "frameworks.change",
}
"""Rights of pages that are not built: a page that is built takes its right out of here."""


def caller(*roles):
    rights, own = rights_of_roles(roles)
    return Caller("staff 1", "", b"", rights, "default", SESSION, own=own)


def is_let_in(line, one):
    try:
        admit(*line, one)
    except Refused:
        return False
    return True


def of(role):
    return Granted(role, "centre" if ROLES[role].bound else "")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_gets_past_the_lines_that_are_for_it_and_past_no_other(role):
    let_in = {line for line in TABLE if not TABLE[line].is_public and is_let_in(line, caller(of(role)))}

    assert let_in == ACCOUNT | ACCOUNT_OF_OPERATOR | SEEN[role]


def test_nobody_without_a_role_sees_more_than_their_own_account():
    assert caller().rights == {"account.use": SELF}


def test_each_right_that_a_role_gives_is_asked_for_by_a_line_or_waits_for_its_page():
    given = {right for role in ROLES.values() for right in role.rights}

    assert given - {line.right for line in TABLE.values()} == NOT_ASKED_YET


def test_a_right_reaches_as_far_as_the_widest_role_and_what_it_is_bound_to_is_kept_apart():
    both = caller(Granted("provider", "north"), Granted("author", "moodle"), Granted("trainer", "south"))

    assert (both.rights["imports.run"], both.owned("imports.run")) == (OWN, {"north"})
    assert (both.rights["arrivals.read"], both.owned("arrivals.read")) == (OWN, {"moodle", "south"})
    assert (both.rights["learners.read"], both.owned("learners.read")) == (OWN_LEARNERS, {"north", "south"})
    assert both.owned("statements.write") == frozenset()


def test_a_role_for_everything_frees_a_right_of_what_another_binds_it_to():
    both = caller(Granted("provider", "north"), Granted("administrator"))

    assert (both.rights["imports.run"], both.owned("imports.run")) == (ALL, frozenset())


def test_a_developer_reaches_one_service():
    one = caller(Granted("developer", "career-converter"))

    assert (one.rights["services.manage"], one.owned("services.manage")) == (OWN_SERVICE, {"career-converter"})


@pytest.mark.parametrize("text", ["steward", "provider:North Centre", " provider : North Centre "])
def test_a_role_is_read_as_it_is_written(text):
    name, _, of = (part.strip() for part in text.partition(":"))

    assert granted(text) == Granted(name, of)


@pytest.mark.parametrize(
    "text", ["", "king", "learner", "provider", "provider:", "steward:centre", "provider:../x", f"provider:{'x' * 81}"]
)
def test_what_is_no_role_is_refused_with_what_to_write(text):
    with pytest.raises(Refused) as refused:
        granted(text)

    assert "choose from" in refused.value.message or "write it" in refused.value.message


def test_a_role_of_another_release_gives_nothing():
    assert caller(Granted("emperor")).rights == {"account.use": SELF}


def test_the_roles_that_are_given_are_all_but_the_learner_s_and_the_operator_s():
    assert set(OF_STAFF) == set(ROLES) - {"learner", "operator"}


def test_who_is_refused_reads_which_role_the_page_is_for():
    with pytest.raises(Refused) as refused:
        admit("GET", "/staff/members", caller(of("steward")))

    assert refused.value.message == "This page needs a role that you do not have: administrator."


def test_a_role_is_said_by_its_title_and_one_that_there_is_no_more_by_its_name():
    said = [
        one.said for one in (Granted("steward"), Granted("provider", "North"), Granted("gone"), Granted("gone", "x"))
    ]

    assert said == [ROLES["steward"].title, f"{ROLES['provider'].title} (North)", "gone", "gone (x)"]
