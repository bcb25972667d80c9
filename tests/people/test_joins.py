"""What links between persons leave behind: bodies, the audit chain, suggestions, and how each refusal reads."""

import json

import pytest

from lrs.kernel.errors import Refused
from lrs.people import joins
from lrs.people.joins import (
    bring_back,
    dismiss,
    link,
    merge,
    shown,
    suggested_between,
    suggestions,
    suggestions_about,
    trust,
    unmerge,
)
from lrs.people.nobody import put_names
from lrs.people.persons import members_of
from lrs.people.platform_accounts import join_account, suggest_elsewhere
from lrs.people.suggestions import KINDS as SUGGESTION_KINDS
from lrs.storage import Record, Walk, open_store
from lrs.storage.about import Whose
from lrs.xapi.statements.identity import identifier_of
from tests.competency.world import Clock
from tests.people.test_persons import ACCOUNT, ANN, MINT, OTHER_ACCOUNT, TEMPORARY, ULN, linked, minted, write


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=Clock(), secret=bytes(32))
    yield store
    store.close()


def bodies(store, kind):
    return [json.loads(record.body) for record in store.find(Walk(kind)).records]


STEPS = ("evaluate", "list", "sync")
"""What a person owes whose group changed."""


def settled(store):
    """What is owed, by step and person; it is owed no more."""
    claims = store.claim(STEPS, limit=100, lease=1)
    store.settle(claims, lambda _: None).result()
    return sorted((claim.owed.step, claim.record.id) for claim in claims)


def chain(store):
    return [(entry["by"], entry["action"], entry["about"]) for entry in bodies(store, "audit")]


def test_a_link_and_a_suggestion_show_each_of_the_two_only_what_is_theirs(store):
    write(store, lambda tx: trust(tx, "registry", "test"))
    linked(store, ULN, ANN)
    linked(store, ACCOUNT, OTHER_ACCOUNT, "an upload")
    uln, ann = minted(store, ULN, ANN)
    kinds = {one.name: one for one in (*joins.KINDS, *SUGGESTION_KINDS)}
    (joined,), (suggested,) = (store.find(Walk(kind)).records for kind in ("link", "suggestion"))

    persons = [kinds["link"].shown(joined, Whose((one,), (), ()))["persons"] for one in (uln, ann)]
    agents = (ACCOUNT, OTHER_ACCOUNT)
    identifiers = [kinds["suggestion"].shown(suggested, Whose((), (one.id,), ()))["identifiers"] for one in agents]

    assert persons == [[uln], [ann]]
    assert identifiers == [[ACCOUNT.id], [OTHER_ACCOUNT.id]]


@pytest.mark.parametrize(
    ("act", "status", "error", "message"),
    [
        (lambda tx, one, _: merge(tx, one, "nobody", "staff"), 404, "not_found", "there is no person nobody"),
        (lambda tx, one, _: merge(tx, "nobody", one, "staff"), 404, "not_found", "there is no person nobody"),
        (lambda tx, *_: unmerge(tx, "nobody", "staff"), 404, "not_found", "there is no person nobody"),
        (
            lambda tx, one, other: merge(tx, one, other, "staff"),
            409,
            "conflict",
            "the two persons contradict each other: both have another account https://vle.example",
        ),
        (
            lambda tx, one, other: bring_back(tx, one, other, "staff"),
            404,
            "not_found",
            "nothing of the kind is suggested about these two",
        ),
    ],
)
def test_each_refusal_has_its_status_its_name_and_a_sentence_and_leaves_nothing(store, act, status, error, message):
    one, other = minted(store, ACCOUNT, OTHER_ACCOUNT)

    with pytest.raises(Refused) as refused:
        write(store, lambda tx: act(tx, one, other))

    assert (refused.value.status, refused.value.error, refused.value.message) == (status, error, message)
    assert bodies(store, "link") == chain(store) == []


def test_who_stands_alone_cannot_be_parted_from_anybody(store):
    (one,) = minted(store, ANN)

    with pytest.raises(Refused) as refused:
        write(store, lambda tx: unmerge(tx, one, "staff"))

    assert (refused.value.status, refused.value.error) == (409, "not_merged")
    assert refused.value.message == f"person {one} is not merged with anybody"


def test_a_link_says_who_made_it_and_who_took_it_back_and_each_act_is_in_the_chain(store):
    one, other, third = minted(store, ANN, ACCOUNT, ULN)

    assert write(store, lambda tx: merge(tx, other, one, "staff")) == one
    made = bodies(store, "link")
    assert write(store, lambda tx: merge(tx, one, other, "again")) == one
    write(store, lambda tx: merge(tx, third, other, "staff"))
    assert write(store, lambda tx: unmerge(tx, other, "somebody else")) == (one, third)

    both = sorted((one, other))
    assert made == [{"v": 1, "persons": both, "active": True, "by": "staff"}]
    parted = bodies(store, "link")
    assert [(each["v"], each["active"], each["by"]) for each in parted] == [(1, False, "somebody else")] * 2
    assert sorted(each["persons"] for each in parted) == sorted([both, sorted((other, third))])
    assert chain(store) == [
        ("staff", "persons.merged", {"one": other, "other": one}),
        ("staff", "persons.merged", {"one": third, "other": other}),
        ("somebody else", "persons.unmerged", {"person": other}),
    ]
    assert [members_of(store, each) for each in (one, other, third)] == [(one,), (other,), (third,)]


def test_marking_an_authority_twice_is_one_entry_and_a_join_by_its_row_another(store):
    assert write(store, lambda tx: trust(tx, "registry", "staff")) is True
    assert write(store, lambda tx: trust(tx, "registry", "staff")) is False
    one, other = minted(store, ULN, ANN)

    assert linked(store, ULN, ANN) == "joined"

    assert chain(store) == [
        ("staff", "identity-authority.marked", {"source": "registry"}),
        ("registry", "persons.joined", {"one": one, "other": other}),
    ]


@pytest.mark.parametrize(("one", "other"), [(TEMPORARY, ANN), (ANN, TEMPORARY)])
def test_a_row_that_names_nobody_on_either_side_joins_and_suggests_nothing(store, one, other):
    write(store, lambda tx: trust(tx, "registry", "staff"))

    assert write(store, lambda tx: link(tx, one, other, source="registry", mint=MINT)) == "nobody"

    assert suggestions(store) == bodies(store, "person") == []


@pytest.mark.parametrize(("one", "other"), [(ACCOUNT, ULN), (ULN, ACCOUNT)])
def test_a_name_that_stands_for_nobody_in_what_this_source_sends_joins_nobody_by_its_rows_alone(store, one, other):
    for source in ("registry", "other registry"):
        write(store, lambda tx, source=source: trust(tx, source, "staff"))
    write(store, lambda tx: put_names(tx, "registry", ["ann"], "staff"))

    assert linked(store, one, other) == "nobody"
    assert linked(store, one, other, "other registry") == "joined"


def test_members_of_a_group_that_changed_owe_all_that_follows_and_one_that_joined_holds_nobody(store):
    one, other = minted(store, ULN, ANN)
    settled(store)

    write(store, lambda tx: merge(tx, one, other, "staff"))

    assert settled(store) == sorted((step, person) for step in STEPS for person in (one, other))
    assert store.get("person", other).meta == {"into": one, "members": []}


def test_of_many_suggestions_as_many_are_given_as_are_wanted(store):
    linked(store, ULN, ANN, "an upload")
    linked(store, ACCOUNT, OTHER_ACCOUNT, "an upload")

    assert [len(suggestions(store, most=most)) for most in (1, 2, None)] == [1, 2, 2]


def test_who_dismissed_a_suggestion_and_brought_it_back_is_in_the_chain_with_both_persons(store):
    linked(store, ULN, ANN, "an upload")
    one, other = minted(store, ULN, ANN)

    write(store, lambda tx: dismiss(tx, one, other, "staff"))
    dismissed = suggested_between(store, one, other)
    write(store, lambda tx: bring_back(tx, one, other, "somebody else"))

    about = {"one": one, "other": other}
    assert chain(store)[-2:] == [
        ("staff", "suggestion.dismissed", about),
        ("somebody else", "suggestion.brought-back", about),
    ]
    ((suggestion, is_dismissed),) = dismissed
    assert (set(suggestion.identifiers), is_dismissed) == ({ULN.id, ANN.id}, True)
    assert [aside for _, aside in suggested_between(store, one, other)] == [False]


def test_two_whom_nothing_suggests_are_kept_apart_until_that_is_taken_back_and_a_suggestion_finds_them_so(store):
    one, other = minted(store, ULN, ANN)

    write(store, lambda tx: dismiss(tx, one, other, "staff"))
    by_hand = [(pair.reason, aside) for pair, aside in suggested_between(store, one, other)]
    linked(store, ULN, ANN, "an upload")
    suggested = [(pair.source, aside) for pair, aside in suggested_between(store, one, other)]
    third, fourth = minted(store, ACCOUNT, OTHER_ACCOUNT)
    write(store, lambda tx: dismiss(tx, third, fourth, "staff"))
    ((_, contradicting),) = [(one, one.conflict) for one in suggestions(store, dismissed=True) if one.conflict]
    assert write(store, lambda tx: bring_back(tx, third, fourth, "staff")) == 0

    assert by_hand == [("kept apart by hand", True)]
    assert suggested == [("an upload", True)]
    assert contradicting == "both have another account https://vle.example"
    assert suggested_between(store, third, fourth) == []


def test_suggestions_about_somebody_are_those_that_name_one_of_their_identifiers_and_are_still_open(store):
    linked(store, ULN, ANN, "an upload")
    linked(store, ACCOUNT, OTHER_ACCOUNT, "an upload")

    about_ann = suggestions_about(store, [ANN.id])
    about_both = suggestions_about(store, [ULN.id, OTHER_ACCOUNT.id])
    one, other = (members_of(store, each)[0] for each in minted(store, ULN, ANN))
    write(store, lambda tx: merge(tx, one, other, "staff"))

    assert [set(found.identifiers) for found in about_ann] == [{ULN.id, ANN.id}]
    assert len(about_both) == 2
    assert suggestions_about(store, ["nobody"]) == suggestions_about(store, [ANN.id]) == []
    assert len(suggestions_about(store, [ACCOUNT.id])) == 1


def test_what_is_suggested_about_two_persons_is_found_without_reading_all_suggestions(store):
    write(store, lambda tx: tx.insert(Record("suggestion", "of others", b"not looked at")))
    linked(store, ULN, ANN, "an upload")
    one, other = minted(store, ULN, ANN)

    assert [set(found.identifiers) for found in suggestions_about(store, [ANN.id])] == [{ULN.id, ANN.id}]
    assert write(store, lambda tx: dismiss(tx, one, other, "staff")) == 1


def test_a_suggestion_shows_both_sides_why_by_whom_and_what_contradicts(store):
    linked(store, ACCOUNT, OTHER_ACCOUNT, "an upload")
    (found,) = suggestions(store)
    one, other = minted(store, ACCOUNT, OTHER_ACCOUNT)

    told = shown(store, found)

    sides = [(side["person"], side["identifier"]) for side in told.pop("persons")]
    assert sorted(sides, key=str) == sorted([(one, ACCOUNT.ifi), (other, OTHER_ACCOUNT.ifi)], key=str)
    assert told == {
        "reason": "one row carries both",
        "source": "an upload",
        "conflict": "both have another account https://vle.example",
    }


def test_of_what_a_command_parted_the_suggestion_says_so(store):
    one, other = minted(store, ULN, ANN)
    write(store, lambda tx: merge(tx, one, other, "staff"))
    write(store, lambda tx: unmerge(tx, other, "staff"))
    write(store, lambda tx: trust(tx, "registry", "staff"))

    assert linked(store, ULN, ANN) == "suggested"

    (found,) = suggestions(store)
    assert (found.reason, found.source) == ("one row carries both, but they were unmerged by command", "registry")


def test_a_link_is_about_both_persons_and_an_authority_about_nobody(store):
    one, other = minted(store, ULN, ANN)
    write(store, lambda tx: merge(tx, one, other, "staff"))
    of_links, of_authorities = joins.KINDS
    (record,) = store.find(Walk("link")).records

    assert set(of_links.subjects(record).persons) == {one, other}
    assert of_authorities.subjects is None


@pytest.mark.parametrize("source", ["engraft courses", "engraft courses client 7"])
def test_launched_content_is_no_identity_authority_nor_believed_where_it_was_marked_before(store, source):
    with pytest.raises(Refused, match="cannot be an identity authority") as refused:
        write(store, lambda tx: trust(tx, source, "test"))
    write(store, lambda tx: tx.insert(Record("identity-authority", source)))

    assert (refused.value.status, linked(store, ULN, ANN, source)) == (409, "suggested")


def test_an_account_of_one_user_of_a_platform_is_never_that_of_another_user_there(store):
    def joined(user, other):
        return write(store, lambda tx: join_account(tx, user, other, source="moodle", mint=MINT))

    first, second, name = (
        identifier_of({"account": {"homePage": "https://vle.example", "name": one}}) for one in ("17", "18", "ann")
    )

    assert [joined(first, name), joined(first, name), joined(second, name)] == ["joined", "already", "conflict"]
    assert [one.conflict for one in suggestions(store)] == ["the account belongs to another user of the platform"]

    def suggested(user):
        return write(store, lambda tx: suggest_elsewhere(tx, user, name, source="moodle"))

    unknown = suggested(ANN)
    minted(store, ANN)
    assert (unknown, suggested(ANN), suggested(first)) == (False, True, False)
    assert len(members_of(store, minted(store, second)[0])) == 1
