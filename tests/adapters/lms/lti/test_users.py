"""What launches teach of persons: one within a platform, a suggestion beyond it, nobody where a name is shared."""

import itertools

import pytest

from adapters.lms.lti import users
from adapters.lms.lti.users import SeenUser
from lrs.people import joins
from lrs.people.ids import identified, ids_of
from lrs.people.persons import ensure, identifiers_of, members_of, minter
from lrs.people.sent_names import name_of

numbers = itertools.count(1_000)


@pytest.fixture
def own(platform):
    """A platform that no other test knows."""
    number = next(numbers)
    return platform.described(f"users-{number}", issuer=f"https://users-{number}.example")


def learn(world, own, sub, **more):
    return world.store.write(lambda tx: users.learn(tx, world.tenant, own, SeenUser(sub, **more))).result()


def account(world, home, name):
    return identified({"account": {"homePage": home, "name": name}}, ids_of(world.tenant))


def put(world, identifier):
    mint = minter(world.tenant.secret("person-ids"))
    return world.store.write(lambda tx: ensure(tx, (identifier,), mint)).result()[identifier.id]


def known(world, user):
    return {next(iter(one.values()))["name"] for one in identifiers_of(world.store, user.person) if "account" in one}


def suggested(world, text):
    return [one for one in joins.suggestions(world.store) if text in (one.reason + (one.conflict or ""))]


def test_user_id_user_name_and_address_of_one_user_are_one_person(world, own):
    user = learn(world, own, "5", username="ann", email="ann@x.example")

    assert known(world, user) == {"5", "ann", "ann@x.example"}
    assert len(members_of(world.store, user.person)) == 3


def test_who_is_known_by_launches_alone_has_their_name_for_staff_and_a_test_user_has_none(world, own):
    learn(world, own, "5", name="Ann Learner")
    learn(world, own, "5", name="Ann  Lerner")
    learn(world, own, "6", name="Preview", test=True)

    called = [name_of(world.store, {"account": {"homePage": own.issuer, "name": sub}}) for sub in ("5", "6")]
    assert called == ["Ann Lerner", None]


def test_what_content_sent_before_under_such_a_name_belongs_to_the_same_person(world, own):
    before = put(world, account(world, own.issuer, "ann"))

    user = learn(world, own, "5", username="ann")

    assert before in members_of(world.store, user.person)


def test_a_second_launch_changes_nothing_and_forgets_nothing(world, own):
    first = learn(world, own, "5", username="ann", email="ann@x.example", name="Ann")
    count = world.store.count("audit")

    second = learn(world, own, "5")

    assert first == second
    assert world.store.count("audit") == count


def test_an_address_that_two_users_have_joins_nobody_and_what_it_joined_is_parted(world, own):
    one = learn(world, own, "5", email="room@x.example")
    alone = known(world, one)

    other = learn(world, own, "6", email="room@x.example")
    learn(world, own, "5", email="room@x.example")

    assert alone == {"5", "room@x.example"}
    assert (known(world, one), known(world, other)) == ({"5"}, {"6"})


def test_an_account_of_somebody_who_has_another_number_is_suggested_only(world, own):
    mint = minter(world.tenant.secret("person-ids"))
    uln = [
        identified({"account": {"homePage": "https://www.gov.uk/uln", "name": n}}, ids_of(world.tenant))
        for n in ("1000000043", "1000000051")
    ]
    named = account(world, own.issuer, "ann")
    user = learn(world, own, "5")

    def decide(tx):
        persons = ensure(tx, (*uln, named), mint)
        joins.merge(tx, persons[uln[0].id], user.person, "test")
        joins.merge(tx, persons[uln[1].id], persons[named.id], "test", despite_conflict=True)

    world.store.write(decide).result()
    learn(world, own, "5", username="ann")

    assert known(world, user) == {"5", "1000000043"}
    assert len(suggested(world, "another learner number")) == 1


def test_what_a_command_unmerged_is_not_joined_again(world, own):
    user = learn(world, own, "5", username="ann")
    other = put(world, account(world, own.issuer, "ann"))
    world.store.write(lambda tx: joins.unmerge(tx, other, "test")).result()

    learn(world, own, "5", username="ann")

    assert known(world, user) == {"5"}


def test_a_mailbox_that_is_known_already_is_suggested_and_joins_nobody(world, own):
    mailbox = identified({"mbox": "mailto:ann@mail.example"}, ids_of(world.tenant))
    before = put(world, mailbox)

    user = learn(world, own, "5", email="ann@mail.example")

    assert before not in members_of(world.store, user.person)
    (found,) = (one for one in joins.suggestions(world.store) if mailbox.id in one.identifiers)
    assert found.source == f"lti {own.id}"


def test_a_mailbox_that_nobody_has_used_makes_no_person(world, own):
    count = world.store.count("person")

    learn(world, own, "5", email="new@mail.example")

    assert world.store.count("person") == count + 2


def test_a_guest_stands_for_nobody(world, own):
    user = learn(world, own, "5", username="guest")

    assert known(world, user) == {"5"}


def test_two_institutions_with_one_issuer_share_no_user_name(world, platform):
    north, south = (platform.described(one, issuer="https://canvas.instructure.com") for one in ("north", "south"))
    sam = account(world, "https://south.instructure.com", "sam")
    put(world, sam)

    without = learn(world, north, "a-1", username="sam")
    other = learn(world, south, "a-2", username="sam", home="https://south.instructure.com")

    assert (known(world, without), known(world, other)) == ({"a-1"}, {"a-2"})
    (found,) = (one for one in joins.suggestions(world.store) if sam.id in one.identifiers)
    assert found.source == f"lti {south.id}"


def test_a_platform_with_the_issuer_of_many_does_not_take_an_account_of_another_home_page(world, own, platform):
    lying = platform.described("lying", issuer="https://canvas.instructure.com")
    victim = put(world, account(world, own.issuer, "zed"))

    evil = learn(world, lying, "e-1", username="zed", home=own.issuer)

    assert victim not in members_of(world.store, evil.person)


def test_a_user_name_that_is_the_number_of_another_user_joins_nobody(world, own):
    before = put(world, account(world, own.issuer, "8"))
    five = learn(world, own, "5")

    one, two = learn(world, own, "6", username="5"), learn(world, own, "7", username="8")

    assert (known(world, five), known(world, one), known(world, two)) == ({"5"}, {"6"}, {"7"})
    assert before not in members_of(world.store, two.person)


def test_a_user_name_that_is_the_id_of_another_user_joins_nobody(world, own):
    first = learn(world, own, "ab-1")

    other = learn(world, own, "ab-2", username="ab-1")

    assert (known(world, first), known(world, other)) == ({"ab-1"}, {"ab-2"})


def test_a_user_name_that_whoever_edits_a_link_can_write_is_suggested_and_parts_nobody(world, own):
    put(world, account(world, own.issuer, "vera"))

    evil = learn(world, own, "6", parameter="vera")
    vera = learn(world, own, "5", username="vera")
    learn(world, own, "6", parameter="vera")

    assert (known(world, evil), known(world, vera)) == ({"6"}, {"5", "vera"})
    assert len([one for one in joins.suggestions(world.store) if one.source == f"lti {own.id}"]) == 1
