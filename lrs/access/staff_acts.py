"""What is done to members of staff: invited, let in, given roles, disabled, recovered, their passwords changed.

Each act stands in the record of actions with its commit. One that takes something away ends the member's sessions in
that commit, so it holds at once in every process. Knows no page and no command.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from lrs.access import one_time, passwords, sessions, staff
from lrs.access.one_time import ONCE, OneTime, Purpose
from lrs.access.roles import ADMINISTRATOR, Granted
from lrs.access.sessions import SigningIn
from lrs.access.staff import ACTIVE, DISABLED, INVITED, SUBJECT, WITHDRAWN, Login, Member, State
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.times import timestamp_of_micros
from lrs.outbox.mail import send_mail
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

LETTING_IN: tuple[Purpose, ...] = ("staff-invitation", "staff-recovery")
"""The links that let a member choose a password."""
PLACE = "/invitation/"
"""Where such a link lies, behind the address of the pages; its token follows."""


class Invitation(msgspec.Struct, frozen=True):
    """A link that lets the member *id* in: its address, and when it ends (microseconds UTC).

    *replaced* are the roles of an invitation that was not used yet, and that this one takes the place of.
    """

    id: str
    link: str
    expires: int
    replaced: tuple[Granted, ...] = ()


def invite(tenant: Tenant, email: str, roles: Iterable[Granted], *, by: str, root: str) -> Invitation:
    """Invites somebody by a link that is also owed as a mail. *root* is the address of the tenant's pages.

    Whoever was invited before and has not come yet gets a new link, and these roles. Raises ``Refused``: 400, or 409
    for somebody who is a member already.
    """
    address, wanted = checked_mailbox(email), tuple(dict.fromkeys(roles))
    if not wanted:
        raise Refused("Choose at least one role.", pointer="/role-1")

    def decide(tx: Tx) -> Invitation:
        there = staff.with_email(tx, address)
        id = there.id if there else secrets.token_hex(8)
        before = staff.member_of(there) if there else Member(address, tenant.clock())
        if before.state not in {INVITED, WITHDRAWN}:
            raise Refused("This address belongs to a member already.", status=409, error="conflict")
        staff.put(tx, id, msgspec.structs.replace(before, roles=wanted, state=INVITED), there)
        audit.append(tx, by, "staff.invited", {"staff": id, "roles": " ".join(staff.roles_shown(wanted))})
        made = linked(tx, tenant, "staff-invitation", id, address, root)
        return replace(made, replaced=before.roles if before.state == INVITED else ())

    return tenant.store.write(decide).result()


def recover(tenant: Tenant, id: str, *, by: str, root: str, without_factor: bool = False) -> Invitation:
    """Gives a link by which the member *id* chooses a new password; the old one ends when it is used.

    *without_factor* takes the second factor away at once. Raises ``Refused`` (404, 409).
    """

    def decide(tx: Tx) -> Invitation:
        record, found = staff.existing(tx, id)
        if found.is_shut_out:
            message = "This member is disabled: enable them first."
            if found.state == WITHDRAWN:
                message = "This invitation was withdrawn: invite them again."
            raise Refused(message, status=409, error="conflict")
        if without_factor:
            staff.put(tx, id, msgspec.structs.replace(found, factor=None, recovery=()), record)
            sessions.end_sessions_of(tx, SUBJECT + id)
        about = {"staff": id} | ({"second factor": "taken away"} if without_factor else {})
        audit.append(tx, by, "staff.recovery", about)
        return linked(tx, tenant, "staff-recovery", id, found.email, root)

    return tenant.store.write(decide).result()


class NewAccount(msgspec.Struct, frozen=True):
    """What somebody says of themselves who is let in; *email* counts only where they were invited without one."""

    name: str
    password: str
    email: str = ""


def let_in(tenant: Tenant, token: str, said: NewAccount, way: SigningIn) -> str:
    """Uses an invitation or a recovery: sets name and password, and signs in. Gives the token of the session.

    Raises ``Refused``: 400 for what cannot be a name, a password or an address, 409 for the address of another member
    (then the link can be used again), 410.
    """
    called = staff.accepted_name(said.name)
    found = staff.member(tenant.store, one_time.look(tenant, token, *LETTING_IN).about)
    own = {"email": checked_mailbox(said.email)} if found is not None and not found.email else {}
    kept = passwords.hashed(passwords.accepted(said.password))
    return _use(tenant, token, way, {"name": called, "password": kept, **own})


def let_in_by(tenant: Tenant, token: str, login: Login, name: str, way: SigningIn) -> str:
    """The same with an account at a sign-in provider instead of a password. Raises ``Refused`` (409, 410)."""
    return _use(tenant, token, way, {}, login=login, name=name)


def add_administrator(tenant: Tenant, who: Member, way: SigningIn, *, by: str) -> str:
    """Lets *who*, an operator of the installation, in as an administrator with the same password, and signs them in.

    Gives the token of the session. The second factor stays with the other account. Raises ``Refused`` (409) where the
    address belongs to somebody who came in by themselves.
    """

    def decide(tx: Tx) -> str:
        there = staff.with_email(tx, who.email)
        id = there.id if there else secrets.token_hex(8)
        before = staff.member_of(there) if there else Member(who.email, tenant.clock())
        if before.state not in {INVITED, WITHDRAWN}:
            raise Refused("You are a member of this organisation already: sign in there.", status=409, error="conflict")
        roles = tuple(dict.fromkeys((*before.roles, Granted(ADMINISTRATOR))))
        now = msgspec.structs.replace(before, name=who.name, roles=roles, state=ACTIVE, password=who.password)
        staff.put(tx, id, now, there)
        for purpose in (*LETTING_IN, ONCE):
            one_time.end_links(tx, purpose, id)
        audit.append(tx, by, "staff.let-in", {"staff": id, "roles": " ".join(staff.roles_shown(roles))})
        return sessions.open_in(tx, SUBJECT + id, tenant.clock(), way)

    return tenant.store.write(decide).result()


def set_roles(tenant: Tenant, id: str, roles: Iterable[Granted], *, by: str, keep_one: bool = True) -> None:
    """Gives the member *id* just these *roles* by hand, and ends their sessions.

    *keep_one* refuses (409) to leave nobody who can let others in. Raises ``Refused`` (404).
    """
    wanted = tuple(dict.fromkeys(roles))

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        now = msgspec.structs.replace(before, roles=wanted)
        if now == before:
            return
        if keep_one:
            _check_one_left(tx, id, before, now)
        staff.put(tx, id, now, record)
        sessions.end_sessions_of(tx, SUBJECT + id)
        audit.append(tx, by, "staff.roles", {"staff": id, "roles": " ".join(staff.roles_shown(wanted))})

    tenant.store.write(decide).result()


def disable(tenant: Tenant, id: str, *, by: str, keep_one: bool = True) -> State:
    """Shuts the member *id* out at once: sessions and links end. Gives the state that the member is in now.

    An invitation that was not used is withdrawn by it. Raises ``Refused`` (404, 409) as ``set_roles``.
    """

    def decide(tx: Tx) -> State:
        record, before = staff.existing(tx, id)
        if before.is_shut_out:
            return before.state
        now = msgspec.structs.replace(before, state=WITHDRAWN if before.state == INVITED else DISABLED)
        if keep_one:
            _check_one_left(tx, id, before, now)
        staff.put(tx, id, now, record)
        for purpose in (*LETTING_IN, ONCE):
            one_time.end_links(tx, purpose, id)
        sessions.end_sessions_of(tx, SUBJECT + id)
        audit.append(tx, by, "staff.withdrawn" if now.state == WITHDRAWN else "staff.disabled", {"staff": id})
        return now.state

    return tenant.store.write(decide).result()


def enable(tenant: Tenant, id: str, *, by: str) -> None:
    """Lets a member in again who was disabled. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        if before.is_shut_out:
            can_sign_in = before.password or before.logins
            staff.put(tx, id, msgspec.structs.replace(before, state=ACTIVE if can_sign_in else INVITED), record)
            audit.append(tx, by, "staff.enabled", {"staff": id})

    tenant.store.write(decide).result()


def change_password(tenant: Tenant, id: str, old: str, new: str, *, session: str) -> None:
    """Changes the password of the member *id*, and ends all sessions but *session*; tells them by mail.

    Who came in by a one-time link and has no way to come back sets the first one, without *old*. Raises ``Refused``
    (400) if *old* is wrong or *new* cannot be one.
    """
    wanted = passwords.accepted(new)
    found = staff.member(tenant.store, id)
    if found is None or not (found.cannot_return or passwords.is_right(old, found.password)):
        raise Refused("The present password is wrong.")
    kept = passwords.hashed(wanted)

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        if before.password != found.password:
            raise Refused("The password was changed meanwhile.", status=409, error="conflict")
        staff.put(tx, id, msgspec.structs.replace(before, password=kept), record)
        sessions.end_sessions_of(tx, SUBJECT + id, but=session)
        audit.append(tx, SUBJECT + id, "staff.password", {"staff": id})
        _tell_changed(tx, tenant, before.email)

    tenant.store.write(decide).result()


def rename(tenant: Tenant, id: str, name: str) -> None:
    """Changes the name by which the member *id* is shown. Raises ``Refused`` (400)."""
    called = staff.accepted_name(name)

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        staff.put(tx, id, msgspec.structs.replace(before, name=called), record)

    tenant.store.write(decide).result()


def link_to(root: str, place: str, token: str) -> str:
    """The address of a one-time link under *root*."""
    return f"{root.rstrip('/')}{place}{token}"


def linked(tx: Tx, tenant: Tenant, purpose: Purpose, id: str, email: str, root: str) -> Invitation:
    """Makes a link for the member *id* with this commit, and owes it as a mail; operators are told by hand.

    *root* is the address of the pages.
    """
    made = one_time.make(tx, tenant, purpose, id, address=email)
    link = link_to(root, PLACE, made.token)
    if not tenant.is_installation:
        send_mail(tx, tenant, email, purpose, {"link": link, "until": timestamp_of_micros(made.expires)})
    return Invitation(id, link, made.expires)


def _use(
    tenant: Tenant, token: str, way: SigningIn, fields: dict[str, str], *, login: Login | None = None, name: str = ""
) -> str:
    def decide(tx: Tx) -> str:
        now = tenant.clock()
        used: OneTime = one_time.use(tx, token, now, *LETTING_IN)
        record, before = staff.existing(tx, used.about)
        if before.is_shut_out:
            raise Refused("This account was disabled. Ask your administrator.", status=403, error="forbidden")
        if "email" in fields and staff.with_email(tx, fields["email"]) is not None:
            raise Refused("This address belongs to somebody else here.", status=409, error="conflict")
        after = msgspec.structs.replace(before, state=ACTIVE, **fields)
        if login is not None:
            other = staff.with_login(tx, login)
            if other is not None and other.id != used.about:
                raise Refused("This account signs in somebody else already.", status=409, error="conflict")
            logins = tuple(dict.fromkeys((*before.logins, login)))
            after = msgspec.structs.replace(after, logins=logins, name=before.name or name)
        staff.put(tx, used.about, after, record)
        for purpose in (*LETTING_IN, ONCE):
            one_time.end_links(tx, purpose, used.about)
        sessions.end_sessions_of(tx, SUBJECT + used.about)
        audit.append(tx, SUBJECT + used.about, "staff.let-in", {"staff": used.about})
        if used.purpose == "staff-recovery":
            _tell_changed(tx, tenant, before.email)
        return sessions.open_in(tx, SUBJECT + used.about, now, way)

    return tenant.store.write(decide).result()


def _tell_changed(tx: Tx, tenant: Tenant, email: str) -> None:
    if not tenant.is_installation:
        send_mail(tx, tenant, email, "password-changed", {"when": timestamp_of_micros(tenant.clock())})


def _check_one_left(tx: Tx, id: str, before: Member, now: Member) -> None:
    if before.is_administrator and not now.is_administrator and not staff.other_administrators(tx, id):
        message = "Nobody else is an administrator: make somebody one first, or nobody could let others in."
        raise Refused(message, status=409, error="conflict")
