"""What is done to members of staff, and what is refused, whichever page or command asks for it."""

from contextlib import closing

import pyotp
import pytest
from msgspec.structs import replace

from lrs.access import one_time, passwords, second_factor, sessions, staff, staff_acts, staff_factor, staff_sign_in
from lrs.access.learners import account_of, close_account, open_account, person_with_login
from lrs.access.learners import caller_of as learner_caller
from lrs.access.roles import Granted
from lrs.access.sessions import SigningIn
from lrs.access.staff import ACTIVE, DISABLED, INVITED, SUBJECT, Login, Member
from lrs.access.staff_acts import NewAccount
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.tenancy import audit
from lrs.tenancy.tenants import open_tenant
from tests.builders import opened_installation

ADMINISTRATOR, STEWARD = Granted("administrator"), Granted("steward")
ROOT = "http://127.0.0.1:8080"
PASSWORD = "four words make one"


@pytest.fixture
def tenant(tmp_path, clock):
    with closing((opened := open_tenant(Settings(data=tmp_path), clock=clock)).store):
        yield opened


def put(tenant, id, email=None, roles=(STEWARD,), **fields):
    address = f"{id}@example.org" if email is None else email
    one = Member(address, tenant.clock(), id, roles, **({"state": ACTIVE} | fields))
    tenant.store.write(lambda tx: staff.put(tx, id, one)).result()
    return id


def written(tenant, act, *given):
    return tenant.store.write(lambda tx: act(tx, *given)).result()


def signed_in(tenant, id):
    return sessions.open_session(tenant, SUBJECT + id)


def refused(act, *words, **named):
    """The status and the sentence of a refusal."""
    with pytest.raises(Refused) as found:
        act(*words, **named)
    return found.value.status, found.value.message


def actions(tenant):
    return [entry.action for entry in audit.newest(tenant.store, 50) if entry.action.startswith("staff.")]


def test_a_member_is_not_invited_again_and_keeps_roles_and_session(tenant):
    put(tenant, "ann", roles=(ADMINISTRATOR,))
    token = signed_in(tenant, "ann")

    again = refused(staff_acts.invite, tenant, "Ann@example.org", [STEWARD], by="test", root=ROOT)
    without = refused(staff_acts.invite, tenant, "new@example.org", [], by="test", root=ROOT)

    assert again == (409, "This address belongs to a member already.")
    assert without == (400, "Choose at least one role.")
    found = staff.member(tenant.store, "ann")
    assert (found.state, found.roles) == (ACTIVE, (ADMINISTRATOR,))
    assert sessions.find_session(tenant, token)
    assert [id for id, _ in staff.everyone(tenant.store)] == ["ann"]


def test_who_is_shut_out_gets_no_link_to_come_back(tenant):
    put(tenant, "ann")
    invited = staff_acts.invite(tenant, "new@example.org", [STEWARD], by="test", root=ROOT).id
    for id in ("ann", invited):
        staff_acts.disable(tenant, id, by="test", keep_one=False)

    told = [refused(staff_acts.recover, tenant, id, by="test", root=ROOT) for id in ("ann", invited)]

    assert told == [
        (409, "This member is disabled: enable them first."),
        (409, "This invitation was withdrawn: invite them again."),
    ]


def test_what_is_so_already_is_done_once_and_ends_no_session(tenant):
    put(tenant, "ann")
    token = signed_in(tenant, "ann")

    staff_acts.set_roles(tenant, "ann", [STEWARD, STEWARD], by="test")
    assert sessions.find_session(tenant, token)
    states = [staff_acts.disable(tenant, "ann", by="test") for _ in range(2)]

    assert states == [DISABLED, DISABLED]
    assert actions(tenant) == ["staff.disabled"]
    for _ in range(2):
        staff_acts.enable(tenant, "ann", by="test")
    assert actions(tenant) == ["staff.enabled", "staff.disabled"]


def test_an_account_at_a_provider_signs_in_one_member_and_the_link_can_be_used_again(tenant):
    login = Login("https://sso.example", "sub-1")
    put(tenant, "ann", logins=(login,))
    link = staff_acts.invite(tenant, "new@example.org", [STEWARD], by="test", root=ROOT)
    token = link.link.removeprefix(f"{ROOT}/invitation/")

    taken = refused(staff_acts.let_in_by, tenant, token, login, "New", SigningIn())
    staff_acts.let_in_by(tenant, token, Login("https://sso.example", "sub-2"), "New", SigningIn())

    assert taken == (409, "This account signs in somebody else already.")
    assert staff.with_login(tenant.store, login).id == "ann"
    assert staff.member(tenant.store, link.id).name == "New"


def test_an_operator_who_was_invited_without_an_address_cannot_take_that_of_another(tmp_path):
    with opened_installation(tmp_path) as installation:
        put(installation, "ann")
        put(installation, "first", email="", state="invited")
        link = staff_acts.recover(installation, "first", by="test", root=ROOT)
        token = link.link.removeprefix(f"{ROOT}/invitation/")

        def said(email):
            return NewAccount("First", PASSWORD, email)

        taken = refused(staff_acts.let_in, installation, token, said("ANN@example.org"), SigningIn())
        staff_acts.let_in(installation, token, said("first@example.org"), SigningIn())

        assert taken == (409, "This address belongs to somebody else here.")
        assert staff.member(installation.store, "first").email == "first@example.org"


def test_whoever_was_invited_by_address_keeps_it_whatever_the_form_says(tenant):
    link = staff_acts.invite(tenant, "new@example.org", [STEWARD], by="test", root=ROOT)
    said = NewAccount("New", PASSWORD, "other@example.org")

    staff_acts.let_in(tenant, link.link.removeprefix(f"{ROOT}/invitation/"), said, SigningIn())

    assert staff.member(tenant.store, link.id).email == "new@example.org"


def test_a_second_factor_takes_the_code_that_the_app_shows_and_is_not_replaced_while_it_is_on(tenant):
    put(tenant, "ann")
    session = sessions.find_session(tenant, signed_in(tenant, "ann")).id
    told = [(secret, staff_factor.proposed(tenant, session, secret)) for secret in ("A" * 32, "B" * 32)]
    codes = [pyotp.TOTP(secret).at(tenant.clock() // SECOND) for secret, _ in told]

    wrong = refused(staff_factor.turn_on, tenant, "ann", session, told[0][1], codes[1])
    staff_factor.turn_on(tenant, "ann", session, told[0][1], codes[0])
    first = staff.member(tenant.store, "ann")
    again = refused(staff_factor.turn_on, tenant, "ann", session, told[1][1], codes[1])

    assert wrong[0] == 400
    assert again == (409, "The second factor is on already.")
    assert staff.member(tenant.store, "ann") == first


def test_a_member_is_renamed_and_a_text_that_is_no_name_is_refused(tenant):
    put(tenant, "ann")

    staff_acts.rename(tenant, "ann", "  Ann   Lee ")
    wrong = [refused(staff_acts.rename, tenant, "ann", text)[0] for text in ("  ", "x" * 301, "a\x07b")]

    assert wrong == [400] * 3
    assert staff.called(tenant.store, "staff ann") == "Ann Lee"


def test_a_login_or_a_mailbox_of_one_learner_opens_no_account_of_another(tenant):
    login, other = Login("https://sso.example", "sub-1"), Login("https://sso.example", "sub-2")

    def opened(person, **way):
        return tenant.store.write(lambda tx: open_account(tx, person, by="test", **way)).result()

    assert opened("one", login=login, address="One@example.org")
    assert not opened("two", login=login)
    assert not opened("two", login=other, address="one@EXAMPLE.org")
    assert (account_of(tenant.store, "two"), person_with_login(tenant.store, login)) == (None, "one")
    assert opened("one", address="one@example.org")
    assert account_of(tenant.store, "one").addresses == ("One@example.org",)


@pytest.mark.parametrize("used", staff_acts.LETTING_IN)
@pytest.mark.parametrize("by_provider", [False, True])
def test_once_a_member_was_let_in_no_link_from_before_lets_anybody_in(tenant, used, by_provider):
    put(tenant, "ann", state=INVITED, password=None)
    purposes = (*staff_acts.LETTING_IN, one_time.ONCE)
    made = {one: written(tenant, one_time.make, tenant, one, "ann").token for one in purposes}

    if by_provider:
        staff_acts.let_in_by(tenant, made[used], Login("https://sso.example", "sub"), "Ann", SigningIn())
    else:
        staff_acts.let_in(tenant, made[used], NewAccount("Ann", PASSWORD), SigningIn())

    assert [refused(one_time.look, tenant, made[one], one)[0] for one in purposes] == [410] * 3


def test_a_link_that_was_sent_before_its_member_was_shut_out_opens_nothing(tenant):
    put(tenant, "ann")
    token = staff_acts.recover(tenant, "ann", by="test", root=ROOT).link.rpartition("/")[2]

    def shut_out(tx):
        record, before = staff.existing(tx, "ann")
        staff.put(tx, "ann", replace(before, state=DISABLED), record)

    tenant.store.write(shut_out).result()

    told = refused(staff_acts.let_in_by, tenant, token, Login("https://idp.example", "7"), "Ann", SigningIn())

    assert told == (403, "This account was disabled. Ask your administrator.")


def test_who_is_shut_out_or_unknown_is_no_caller(tenant):
    put(tenant, "ann")
    put(tenant, "ben", state=DISABLED)
    tenant.store.write(lambda tx: open_account(tx, "p-1", login=Login("https://idp.example", "7"), by="test")).result()

    callers = [staff.caller_of(tenant.store, id, tenant.id) for id in ("ann", "ben", "nobody")]
    learners = [learner_caller(tenant.store, id, tenant.id) for id in ("p-1", "p-2")]

    assert [one and one.subject for one in (*callers, *learners)] == ["staff ann", None, None, "learner p-1", None]


def test_what_was_sealed_by_nobody_or_by_another_installation_is_taken_for_nothing(tenant, tmp_path):
    put(tenant, "ann")
    with closing((other := open_tenant(Settings(data=tmp_path / "other"), clock=tenant.clock)).store):
        device = staff_sign_in.device_token(other, "ann@example.org")
        hidden = second_factor.hidden(other, "JBSWY3DPEHPK3PXP")
    own = staff_sign_in.device_token(tenant, "Ann@Example.org ")

    known = [staff_sign_in.is_device_of(tenant, one, "ann@example.org") for one in (own, device, "", "a.b", "ł")]
    half = refused(staff_sign_in.check_factor, tenant, "a.b", "nonce", "123456", SigningIn())

    assert known == [True, False, False, False, False]
    assert half == (401, "Sign in again: the code came too late.")
    assert second_factor.revealed(tenant, hidden) is None


def test_an_account_of_a_learner_that_is_closed_ends_their_sessions_and_nobody_elses(tenant):
    for person in ("p-1", "p-2"):
        address = f"{person}@example.org"
        tenant.store.write(lambda tx, p=person, a=address: open_account(tx, p, address=a, by="test")).result()
    one, two = (sessions.open_session(tenant, f"learner {person}") for person in ("p-1", "p-2"))

    told = [tenant.store.write(lambda tx: close_account(tx, "p-1", by="test")).result() for _ in range(2)]

    assert told == [True, False]
    assert [sessions.find_session(tenant, token) is not None for token in (one, two)] == [False, True]
    closed = [entry.about for entry in audit.newest(tenant.store, 9) if entry.action == "learner.account-closed"]
    assert closed == [{"person": "p-1"}]


def test_a_password_that_is_changed_is_an_entry_a_mail_and_the_end_of_all_other_sessions(tenant):
    put(tenant, "ann", password=passwords.hashed(PASSWORD))
    here, elsewhere = signed_in(tenant, "ann"), signed_in(tenant, "ann")

    wrong = refused(
        staff_acts.change_password, tenant, "ann", "another one here", "five words make one too", session=""
    )
    session = sessions.find_session(tenant, here).id
    staff_acts.change_password(tenant, "ann", PASSWORD, "five words make one too", session=session)

    assert wrong == (400, "The present password is wrong.")
    assert [sessions.find_session(tenant, token) is not None for token in (here, elsewhere)] == [True, False]
    assert actions(tenant) == ["staff.password"]
    assert tenant.store.count("delivery") == 1
