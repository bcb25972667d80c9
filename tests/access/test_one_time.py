"""Links and codes that open something once, as records."""

from contextlib import closing

import pytest

from lrs.access import one_time
from lrs.access.one_time import KIND
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR, MINUTE
from lrs.tenancy.tenants import open_tenant


@pytest.fixture
def tenant(tmp_path, clock):
    with closing((opened := open_tenant(Settings(data=tmp_path), clock=clock)).store):
        yield opened


def made(tenant, purpose, about="somebody", **bound):
    return tenant.store.write(lambda tx: one_time.make(tx, tenant, purpose, about, **bound)).result()


def there(tenant, *links):
    return [one_time.is_there(tenant.store, one.token) for one in links]


def test_who_asks_in_a_browser_ends_the_link_of_that_browser_and_no_other_about_the_same_person(tenant):
    own, of_staff = made(tenant, "learner-sign-in", browser="own"), made(tenant, "learner-invitation")

    strange = made(tenant, "learner-sign-in", browser="strange")
    assert there(tenant, own, of_staff, strange) == [True, True, True]

    again, invited_again = made(tenant, "learner-sign-in", browser="own"), made(tenant, "learner-invitation")
    assert there(tenant, own, of_staff, strange, again, invited_again) == [False, False, True, True, True]


def test_links_whose_time_is_over_go_when_another_of_their_purpose_is_made(tenant, clock):
    short, other = made(tenant, "learner-sign-in", browser="a"), made(tenant, "learner-address", browser="a")
    clock.now += 15 * MINUTE - 1
    made(tenant, "learner-sign-in", browser="b")
    assert there(tenant, short, other) == [True, True]

    clock.now += 1
    made(tenant, "learner-sign-in", browser="c")
    assert there(tenant, short, other) == [False, True]
    assert tenant.store.count(KIND) == 3


def test_each_purpose_lasts_as_long_as_people_are_told(tenant, clock):
    days = {"learner-invitation": 14, "session-sign-off": 14, "staff-invitation": 3, "staff-recovery": 3}
    hours = {name: 24 * count for name, count in days.items()}
    hours |= {"lti-registration": 72, "staff-sign-in": 24, "learner-sign-in": 0.25, "learner-address": 0.25}

    assert {name: (made(tenant, name).expires - clock.now) / HOUR for name in one_time.LASTS} == hours


@pytest.mark.parametrize("browser", [None, "", "strange"])
def test_a_link_of_a_browser_opens_in_no_other_one_and_still_in_its_own(tenant, clock, browser):
    link = made(tenant, "learner-sign-in", browser="own")

    def using(browser):
        return tenant.store.write(
            lambda tx: one_time.use(tx, link.token, clock.now, "learner-sign-in", browser=browser)
        ).result()

    with pytest.raises(Refused) as refused:
        using(browser)

    assert (refused.value.status, refused.value.error) == (403, "other_browser")
    assert using("own").about == "somebody"


def test_a_link_is_used_once_for_its_purpose_alone(tenant):
    link = made(tenant, "learner-invitation")
    with pytest.raises(Refused):
        tenant.store.write(lambda tx: one_time.use(tx, link.token, tenant.clock(), "staff-invitation")).result()

    used = tenant.store.write(lambda tx: one_time.use(tx, link.token, tenant.clock(), "learner-invitation")).result()
    with pytest.raises(Refused) as again:
        tenant.store.write(lambda tx: one_time.use(tx, link.token, tenant.clock(), "learner-invitation")).result()

    assert (used.about, again.value.status, there(tenant, link)) == ("somebody", 410, [False])
