"""Persons: minted once, joined by an identity authority or by command, parted again, audited."""

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.joins import bring_back, dismiss, link, merge, shown, suggestions, trust, unmerge
from lrs.people.persons import ensure, holders, identifiers_of, members_of, minter, person_named
from lrs.storage import Walk, each, open_store
from lrs.tenancy import audit
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import identifier_of
from tests.audits import broken_at
from tests.competency.world import Clock

MINT = minter(b"secret")
ANN = identifier_of({"mbox": "mailto:ann@example.org"})
ACCOUNT = identifier_of({"account": {"homePage": "https://vle.example", "name": "ann"}})
OTHER_ACCOUNT = identifier_of({"account": {"homePage": "https://vle.example", "name": "anne"}})
ULN = identifier_of({"account": {"homePage": ULN_HOME_PAGE, "name": "1000000027"}})
TEMPORARY = identifier_of({"account": {"homePage": ULN_HOME_PAGE, "name": "9999999999"}})


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=Clock(), secret=bytes(32))
    yield store
    store.close()


def write(store, decide):
    return store.write(decide).result()


def minted(store, *identifiers):
    return [write(store, lambda tx, one=one: ensure(tx, [one], MINT))[one.id] for one in identifiers]


def named_in(store, text):
    """The person *text* names in a store whose identifiers stand under their names."""
    return person_named(Tenant("default", store, Settings(), Secrets(None)), text)


def linked(store, one, other, source="registry"):
    return write(store, lambda tx: link(tx, one, other, source=source, mint=MINT))


def owing(store):
    return sorted(claim.record.id for claim in store.claim(["evaluate"], limit=100, lease=1))


def test_a_person_is_minted_once_however_often_and_by_however_many_the_identifier_is_seen(store):
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: minted(store, ANN)[0], range(40)))

    assert len(seen) == 1
    assert store.count("person") == 1
    assert store.count("identifier") == 1


def test_the_id_of_a_person_cannot_be_worked_out_without_the_secret():
    assert minter(b"secret")(ANN.id) == MINT(ANN.id)
    assert minter(b"another")(ANN.id) != MINT(ANN.id)


def test_a_mailbox_seen_after_its_hash_is_what_the_person_shows(store):
    hashed = identifier_of({"mbox_sha1sum": sha1(b"mailto:ann@example.org").hexdigest()})
    (person,) = minted(store, hashed)
    assert identifiers_of(store, person) == [hashed.ifi]

    assert minted(store, ANN, hashed) == [person, person]

    assert identifiers_of(store, person) == [{"mbox": "mailto:ann@example.org"}]


def test_a_mailbox_seen_after_its_hash_is_listed_anew(store):
    hashed = identifier_of({"mbox_sha1sum": sha1(b"mailto:ann@example.org").hexdigest()})
    (person,) = minted(store, hashed)
    store.settle(store.claim(["list"], limit=9, lease=60_000_000), lambda _: None).result()

    minted(store, hashed)
    assert store.claim(["list"], limit=9, lease=60_000_000) == []
    minted(store, ANN)

    assert [claim.record.id for claim in store.claim(["list"], limit=9, lease=60_000_000)] == [person]


def test_the_older_person_holds_what_both_have_and_both_are_evaluated_again(store):
    older, younger = minted(store, ACCOUNT, ANN)

    holder = write(store, lambda tx: merge(tx, younger, older, "staff"))

    assert holder == older
    assert members_of(store, younger) == (older, younger)
    assert holders(store, [older, younger]) == {older: older, younger: older}
    assert identifiers_of(store, younger) == [ANN.ifi, ACCOUNT.ifi]
    assert owing(store) == sorted([older, younger])


def test_an_unmerge_gives_both_back_as_they_were_and_evaluates_both_again(store):
    older, younger = minted(store, ACCOUNT, ANN)
    before = [store.get("person", id).meta for id in (older, younger)]
    write(store, lambda tx: merge(tx, older, younger, "staff"))
    for claim in store.claim(["evaluate"], limit=10, lease=60_000_000):
        store.settle([claim], lambda _: None).result()

    others = write(store, lambda tx: unmerge(tx, older, "staff"))

    assert others == (younger,)
    assert [store.get("person", id).meta for id in (older, younger)] == before
    assert owing(store) == sorted([older, younger])


def test_taking_one_of_three_out_leaves_the_other_two_together(store):
    one, two, three = minted(store, ANN, ACCOUNT, ULN)
    write(store, lambda tx: merge(tx, one, two, "staff"))
    write(store, lambda tx: merge(tx, two, three, "staff"))
    assert members_of(store, three) == (one, two, three)

    write(store, lambda tx: unmerge(tx, one, "staff"))

    assert members_of(store, one) == (one,)
    assert members_of(store, three) == (two, three)


def test_what_cannot_be_merged_or_unmerged_is_refused(store):
    (one,) = minted(store, ANN)

    with pytest.raises(Refused, match="no person nobody"):
        write(store, lambda tx: merge(tx, one, "nobody", "staff"))
    with pytest.raises(Refused, match="not merged"):
        write(store, lambda tx: unmerge(tx, one, "staff"))


def test_a_row_of_an_identity_authority_joins_on_its_own_and_again_is_the_same(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))

    assert linked(store, ULN, ANN) == "joined"
    assert linked(store, ANN, ULN) == "already"

    person = named_in(store, "ann@example.org")
    assert len(members_of(store, person)) == 2
    assert suggestions(store) == []


def test_a_row_of_any_other_source_is_a_suggestion_until_a_person_merges(store):
    assert linked(store, ULN, ANN, "some upload") == "suggested"
    assert linked(store, ULN, ANN, "some upload") == "suggested"

    (found,) = suggestions(store)
    assert (found.reason, found.source, found.conflict) == ("one row carries both", "some upload", None)
    sides = shown(store, found)["persons"]
    assert sorted(json.dumps(side["identifier"]) for side in sides) == sorted(map(json.dumps, (ANN.ifi, ULN.ifi)))
    one, other = (side["person"] for side in sides)
    write(store, lambda tx: merge(tx, one, other, "staff"))
    assert suggestions(store) == []


def test_a_suggestion_that_is_dismissed_is_off_the_list_stays_off_and_can_be_brought_back(store):
    linked(store, ULN, ANN, "some upload")
    linked(store, ULN, ACCOUNT, "some upload")
    person, number = named_in(store, "ann@example.org"), named_in(store, "1000000027")

    assert write(store, lambda tx: dismiss(tx, person, number, "staff")) == 1
    assert linked(store, ANN, ULN, "another upload") == "suggested"
    left, gone = suggestions(store), suggestions(store, dismissed=True)
    assert write(store, lambda tx: bring_back(tx, number, person, "staff")) == 1

    assert [set(one.identifiers) for one in left] == [{ULN.id, ACCOUNT.id}]
    assert [set(one.identifiers) for one in gone] == [{ULN.id, ANN.id}]
    assert len(suggestions(store)) == 2
    assert suggestions(store, dismissed=True) == []
    assert members_of(store, person) == (person,)
    entries = [json.loads(record.body) for record in each(store, "audit")]
    assert [(entry["action"], entry["by"]) for entry in entries[-2:]] == [
        ("suggestion.dismissed", "staff"),
        ("suggestion.brought-back", "staff"),
    ]


def test_a_conflict_that_is_found_after_a_dismissal_is_listed(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))
    linked(store, ULN, ANN, "some upload")
    person, number = named_in(store, "ann@example.org"), named_in(store, "1000000027")
    write(store, lambda tx: dismiss(tx, person, number, "staff"))
    linked(store, ANN, ACCOUNT)
    linked(store, ULN, OTHER_ACCOUNT)

    assert linked(store, ULN, ANN) == "conflict"
    (found,) = suggestions(store)
    write(store, lambda tx: dismiss(tx, person, number, "staff"))
    assert linked(store, ULN, ANN) == "conflict"

    assert found.conflict == "both have another account https://vle.example"
    assert suggestions(store) == []


def test_what_is_not_kept_apart_cannot_be_brought_back_nor_what_is_be_dismissed_again(store):
    one, other = minted(store, ANN, ACCOUNT)

    apart = minted(store, ULN, OTHER_ACCOUNT)
    write(store, lambda tx: dismiss(tx, *apart, "staff"))

    for change, pair in ((bring_back, (one, other)), (dismiss, apart)):
        with pytest.raises(Refused, match="nothing of the kind is suggested") as refusal:
            write(store, lambda tx, change=change, pair=pair: change(tx, *pair, "staff"))
        assert refusal.value.status == 404


def test_a_conflict_joins_nobody_and_is_listed_even_from_an_authority(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))
    assert linked(store, ANN, ACCOUNT) == "joined"
    assert linked(store, ULN, OTHER_ACCOUNT) == "joined"

    assert linked(store, ULN, ANN) == "conflict"

    (found,) = suggestions(store)
    assert found.conflict == "both have another account https://vle.example"
    assert len(members_of(store, named_in(store, "1000000027"))) == 2


def test_two_accounts_of_one_home_page_conflict_by_themselves(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))

    assert linked(store, ACCOUNT, OTHER_ACCOUNT) == "conflict"


def test_a_command_merges_a_conflict_only_when_told_to(store):
    one, other = minted(store, ACCOUNT, OTHER_ACCOUNT)

    with pytest.raises(Refused, match="contradict") as refusal:
        write(store, lambda tx: merge(tx, one, other, "staff"))

    assert refusal.value.status == 409
    assert write(store, lambda tx: merge(tx, one, other, "staff", despite_conflict=True)) == one


def test_what_a_person_parted_is_not_joined_again_by_a_row(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))
    linked(store, ULN, ANN)
    person = named_in(store, "ann@example.org")
    write(store, lambda tx: unmerge(tx, person, "staff"))

    assert linked(store, ULN, ANN) == "suggested"

    assert members_of(store, person) == (person,)
    assert "unmerged by command" in suggestions(store)[0].reason


def test_the_temporary_learner_number_joins_nobody(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))

    assert linked(store, TEMPORARY, ANN) == "nobody"

    assert store.count("person") == 0


def test_mailboxes_that_differ_in_case_only_are_suggested(store):
    minted(store, ANN, identifier_of({"mbox": "mailto:Ann@Example.org"}))

    (found,) = suggestions(store)
    assert "upper and lower case" in found.reason


@pytest.mark.parametrize("text", ["ann@example.org", "mailto:ann@example.org"])
def test_a_person_is_found_by_what_people_type(store, text):
    person, account, uln = minted(store, ANN, ACCOUNT, ULN)

    assert named_in(store, text) == person
    assert named_in(store, person) == person
    assert named_in(store, "https://vle.example|ann") == account
    assert named_in(store, "1000000027") == uln
    assert named_in(store, "zoe") is None
    assert named_in(store, "https://zoe.example") is None


def test_every_merge_unmerge_and_join_is_in_the_audit_chain_without_names(store):
    write(store, lambda tx: trust(tx, "registry", "staff"))
    linked(store, ULN, ANN)
    person = named_in(store, "ann@example.org")
    other = named_in(store, "1000000027")
    write(store, lambda tx: unmerge(tx, person, "staff"))
    write(store, lambda tx: merge(tx, person, other, "staff"))

    entries = [json.loads(record.body) for record in store.find(Walk("audit")).records]
    assert [(entry["by"], entry["action"]) for entry in entries] == [
        ("staff", "identity-authority.marked"),
        ("registry", "persons.joined"),
        ("staff", "persons.unmerged"),
        ("staff", "persons.merged"),
    ]
    assert "ann@example.org" not in json.dumps(entries)
    assert broken_at(store) is None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_audit_entry_that_was_changed_or_taken_out_is_found(store, number):
    for n in range(3):
        write(store, lambda tx, n=n: audit.append(tx, "staff", "tested", {"n": str(n)}))
    record = store.get("audit", f"{number:012d}")

    write(store, lambda tx: tx.replace(msgspec.structs.replace(record, body=record.body.replace(b"staff", b"stuff"))))

    assert broken_at(store) is not None
    write(store, lambda tx: tx.delete("audit", record.id))
    assert broken_at(store) == number


pairs = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=25, deadline=None)
@given(st.lists(pairs, max_size=6), st.randoms())
def test_merges_in_any_order_make_the_same_groups(tmp_path_factory, made, random):
    shuffled = list(made)
    random.shuffle(shuffled)

    groups = [groups_after(tmp_path_factory.mktemp("store"), order) for order in (made, shuffled)]

    assert groups[0] == groups[1]


def groups_after(folder, order):
    store = open_store(f"sqlite:///{folder / 'store.db'}", clock=Clock(), secret=bytes(32))
    people = minted(store, *(identifier_of({"mbox": f"mailto:{n}@example.org"}) for n in range(5)))
    for one, other in order:
        write(store, lambda tx, one=one, other=other: merge(tx, people[one], people[other], "staff"))
    groups = [members_of(store, person) for person in people]
    store.close()
    return groups
