"""The format ``canonical`` of statements that name a large activity often: an answer has its limit there, too."""

import pytest

from tests.served import new_id, serving, something, statement

MIB = 1024 * 1024
TEXT = "y" * 900_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A server, and an activity with a definition of 900 kB."""
    with serving(tmp_path_factory.mktemp("canonical")) as running:
        activity = something()
        running.store(statement(object={"id": activity, "definition": {"description": {"en": TEXT}}}))
        yield running, activity


def naming(activity, times, **parts):
    """A statement that names *activity* so often."""
    return statement(context={"contextActivities": {"other": [{"id": activity}] * times}}, **parts)


def test_definitions_of_one_statement_over_the_limit_are_those_it_was_sent_with(large):
    lrs, activity = large
    sent = naming(activity, 1_000, id=new_id())
    lrs.store(sent)

    answer = lrs.get(statementId=sent["id"], format="canonical")

    assert (answer.status_code, len(answer.content) < MIB) == (200, True)
    assert answer.json()["context"] == sent["context"]


def test_a_canonical_page_over_the_limit_ends_earlier_and_more_leads_to_the_rest(large):
    lrs, activity = large
    verb = {"id": something()}
    ids = [lrs.store(naming(activity, times, verb=verb))[0] for times in (1, 40, 5, 5, 5, 5)]

    answers = [lrs.get(verb=verb["id"], ascending="true", format="canonical", limit=100)]
    while more := answers[-1].json()["more"]:
        answers.append(lrs.follow(more))

    pages = [answer.json()["statements"] for answer in answers]
    known = [[len(one["context"]["contextActivities"]["other"][0]) == 2 for one in page] for page in pages]
    assert [one["id"] for page in pages for one in page] == ids
    assert max(len(answer.content) for answer in answers) < 16 * MIB
    assert known == [[True], [False, True, True, True], [True]]
