"""What opens a door and for how long, told whole: sessions, links that work once, codes, tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from lrs.access import one_time, second_factor, sessions, staff_acts, tries
from lrs.access.roles import Granted
from lrs.access.throttle import Throttle
from lrs.kernel.times import HOUR, MINUTE, SECOND
from lrs.tenancy.tenants import Tenant
from tests.told.noon import NOW
from tests.told.story import Changes, Story, inline
from tests.told.tabled import said, table


def test_how_long_a_session_lasts(told: Any, tenant: Tenant) -> None:
    story, clock = Story(), tenant.clock
    way = sessions.SigningIn("password", "Firefox on Linux")
    first = sessions.open_session(tenant, "staff ann", way)
    second = sessions.open_session(tenant, "staff ann", replace(way, browser="Safari"))

    def at(minutes: float, which: str = first) -> Any:
        clock.now = NOW * SECOND + int(minutes * MINUTE)  # type: ignore[attr-defined]
        found = sessions.find_session(tenant, which)
        tenant.store.write(lambda _: None).result()  # when it was seen is written without waiting for it
        return found and ((found.seen - NOW * SECOND) / MINUTE, found.how, found.browser)

    table(
        story,
        at,
        (0, 4.99, 5, 9.99, 124.99, 240, 355, 470, 479.99, 480),
        "the first, by the minute: when it was seen",
    )
    table(story, lambda minutes: at(minutes, second), (120,), "the second")
    at(30)
    third = sessions.open_session(tenant, "staff ben", replace(way, before=second))
    story.say(
        f"of ann {len(sessions.sessions_of(tenant.store, 'staff ann', clock()))}, of all {len(sessions.list_sessions(tenant.store, clock()))}"
    )
    ids = [one.id for one in sessions.list_sessions(tenant.store, clock())]
    story.say(f"{[sessions.end_session(tenant, one, by='test') for one in (ids[0], ids[0])]}")
    for _ in range(sessions.MOST + 1):
        sessions.open_session(tenant, "staff ben")
    story.say(
        f"of ben {len(sessions.sessions_of(tenant.store, 'staff ben', clock()))}: the first is {sessions.find_session(tenant, third)}"
    )
    keep = sessions.sessions_of(tenant.store, "staff ben", clock())[0].id
    story.say(f"ended {tenant.store.write(lambda tx: sessions.end_sessions_of(tx, 'staff ben', but=keep)).result()}")
    told(str(story))


def test_links_and_codes_that_work_once(told: Any, tenant: Tenant) -> None:
    story, clock = Story(), tenant.clock

    def write(act: Callable[..., Any], *given: Any, **more: Any) -> Any:
        return tenant.store.write(lambda tx: act(tx, *given, **more)).result()

    for purpose, lasts in one_time.LASTS.items():
        made = write(one_time.make, tenant, purpose, "ann", address="a@b")
        clock.now += lasts - 1  # type: ignore[attr-defined]
        before = said(one_time.look, tenant, made.token, purpose)
        clock.now += 1  # type: ignore[attr-defined]
        story.say(
            f"{purpose}, {lasts / HOUR:g} h: {before}", f"    then {said(one_time.look, tenant, made.token, purpose)}"
        )
    story.head("used, replaced, ended, of another purpose")
    made, other = (write(one_time.make, tenant, "staff-recovery", who) for who in ("ann", "ben"))
    story.say(
        said(one_time.look, tenant, made.token, "staff-invitation"), said(one_time.look, tenant, "x", "staff-recovery")
    )
    story.say(f"wait: {[one.about for one in one_time.waiting(tenant.store, 'staff-recovery', clock())]}")
    story.say(*(said(write, one_time.use, made.token, clock(), "staff-invitation", "staff-recovery") for _ in range(2)))
    newer = write(one_time.make, tenant, "staff-recovery", "ben")
    story.say(f"{[one_time.is_there(tenant.store, one.token) for one in (made, other, newer)]}")
    write(one_time.end_links, "staff-recovery", "ben")
    story.say(
        f"{one_time.is_there(tenant.store, newer.token)}, {said(one_time.look, tenant, write(one_time.make, tenant, 'staff-recovery', '').token, 'staff-recovery')}"
    )
    story.head("of one browser, with a code")
    for wrong in (0, 1, 4, 5):
        made = write(one_time.make, tenant, "learner-sign-in", "ann", browser="mine")
        for _ in range(wrong):
            write(one_time.use_code, tenant, "learner-sign-in", "x", "mine")
        story.say(
            f"after {wrong} wrong: elsewhere {said(write, one_time.use, made.token, clock(), 'learner-sign-in', browser='other')}",
            f"    there {said(write, one_time.use_code, tenant, 'learner-sign-in', made.code, 'mine')},"
            f" again {said(write, one_time.use_code, tenant, 'learner-sign-in', made.code, 'mine')}",
        )
    made = write(one_time.make, tenant, "learner-sign-in", "ann", browser="mine")
    story.say(
        f"a code elsewhere {said(write, one_time.use_code, tenant, 'learner-sign-in', made.code, 'other')}, nobody's {said(write, one_time.use_code, tenant, 'learner-sign-in', write(one_time.make, tenant, 'learner-sign-in', '', browser='third').code, 'third')}"
    )
    clock.now += 15 * MINUTE  # type: ignore[attr-defined]
    story.say(
        f"too late {said(write, one_time.use_code, tenant, 'learner-sign-in', made.code, 'mine')}, {one_time.is_there(tenant.store, made.token)}"
    )
    story.head("codes of an app")
    secret = "JBSWY3DPEHPK3PXP" * 2
    code = {shift: second_factor.pyotp.TOTP(secret).generate_otp(100 + shift) for shift in (-2, -1, 0, 1, 2)}
    for used in (0, 99, 100):
        story.say(
            f"used {used}: { {shift: second_factor.counter_of(secret, one, 100 * 30 * SECOND, used) for shift, one in code.items()} }"
        )
    one = code[0]
    table(
        story,
        lambda text: second_factor.counter_of(secret, text, 100 * 30 * SECOND, 0),
        (f"{one[:3]} {one[3:]}", one[:5], f"{one}0", "", "٣" * 6),
    )
    story.say(
        second_factor.address_for_app(secret, "ann@a.example", "North"),
        inline(second_factor.without(("a", "b"), "a")),
        inline(second_factor.without(("a",), "b")),
    )
    digests = {
        second_factor.digest_of_code(tenant, who, typed)
        for who, typed in (("ann", "AB2-CD"), ("ann", "ab2 cd"), ("ben", "AB2-CD"))
    }
    story.say(f"{len(digests)} digests of three, {len(set(second_factor.new_recovery_codes()))} codes")
    told(str(story))


def test_how_often_may_be_tried(told: Any, tenant: Tenant) -> None:
    story, clock, now = Story(), tenant.clock, [0.0]
    throttle = Throttle(2, 10, lambda: now[0])

    def wrong(at: float, who: str) -> Any:
        now[0] = at
        found = throttle.wrong(who)
        return found and (found.message, found.headers), throttle.is_over(who), throttle.left(who)

    table(
        story,
        wrong,
        ((0, "a"), (5, "a"), (9.5, "a"), (9.99, "b"), (10, "a"), (10.01, "a"), (10.02, "a")),
        "twice in 10 s",
    )
    story.say(said(throttle.check, "a"), said(throttle.check, "b"))
    account, address = (
        tries.Try((name, "x"), tries.TryLimit(most, 10)) for name, most in (("account", 2), ("address", 3))
    )

    def tried(second: int, *what: tries.Try) -> Any:
        clock.now = NOW * SECOND + second * SECOND  # type: ignore[attr-defined]
        return tries.count(tenant, *what)

    for second, what in (
        (0, (account, address)),
        (1, (account,)),
        (2, (account, address)),
        (9, (account,)),
        (3, (address,)),
        (4, (address,)),
        (5, (address,)),
        (10, (account,)),
        (10, (address,)),
    ):
        story.say(f"{second} s, {[one.who[0] for one in what]}: {said(tried, second, *what)}")
    tries.was_right(tenant, account, address)
    changes = Changes(tenant.store, ["tries"])
    story.say(
        *(said(tried, 11, account) for _ in range(3)), *(said(tried, 11, address) for _ in range(4)), *changes.new()
    )
    told(str(story))


def test_the_life_of_an_account(told: Any, tenant: Tenant) -> None:
    story, changes = Story(), Changes(tenant.store, ("staff", "session", "one-time-link", "delivery", "audit"))
    root, way = "https://a.example", sessions.SigningIn("link", "Firefox")
    steward, administrator = (Granted("steward"),), (Granted("administrator"),)
    made: dict[str, staff_acts.Invitation] = {}

    def act(what: str, of: Callable[[], Any]) -> None:
        story.head(what)
        story.say(said(of))
        story.extend(changes.new())

    def let_in(who: str, password: str = "correct horse battery", name: str = "Ann") -> Any:
        token = made[who].link.rpartition("/")[2]
        return staff_acts.let_in(tenant, token, staff_acts.NewAccount(name, password), way) and None

    def invited(who: str, email: str, roles: Any = steward) -> Any:
        made[who] = staff_acts.invite(tenant, email, roles, by="test", root=root)
        return made[who].replaced

    def recovered(who: str, **more: Any) -> None:
        made[who] = staff_acts.recover(tenant, made[who].id, by="test", root=root, **more)

    act("invited to nothing", lambda: invited("ann", "ann@a.example", ()))
    act("invited", lambda: invited("ann", "ann@a.example"))
    act("invited anew, to more", lambda: invited("ann", "Ann@a.example", (*administrator, *steward, *steward)))
    act("too short a password", lambda: let_in("ann", "short"))
    act("comes in", lambda: let_in("ann"))
    act("comes in again", lambda: let_in("ann"))
    act("invited as a member", lambda: invited("again", "ann@a.example"))
    id = made["ann"].id
    act("disabled, the only administrator", lambda: staff_acts.disable(tenant, id, by="test"))
    act("loses the roles", lambda: staff_acts.set_roles(tenant, id, steward, by="test"))
    act("a second one", lambda: invited("ben", "ben@a.example", administrator))
    act("who comes in", lambda: let_in("ben", name="Ben"))
    act("loses the roles now", lambda: staff_acts.set_roles(tenant, id, steward, by="test"))
    act("a new password", lambda: recovered("ann"))
    act("which is chosen", lambda: let_in("ann", "another horse battery"))
    act("a wrong one", lambda: staff_acts.change_password(tenant, id, "x", "a third horse battery", session=""))
    act(
        "a right one",
        lambda: staff_acts.change_password(tenant, id, "another horse battery", "a third horse battery", session=""),
    )
    act("without the second factor", lambda: recovered("ann", without_factor=True))
    act("disabled", lambda: staff_acts.disable(tenant, id, by="test"))
    act("disabled again", lambda: staff_acts.disable(tenant, id, by="test"))
    act("a new password of who is disabled", lambda: recovered("ann"))
    act("enabled", lambda: staff_acts.enable(tenant, id, by="test"))
    act("renamed", lambda: staff_acts.rename(tenant, id, "Ann Lee"))
    act("nobody", lambda: staff_acts.rename(tenant, "x", "Ann Lee"))
    told(str(story))
