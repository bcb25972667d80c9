"""The Python client ``tincan`` against our server: everything it can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tincan import (
    Activity,
    ActivityDefinition,
    ActivityProfileDocument,
    Agent,
    AgentProfileDocument,
    Context,
    LanguageMap,
    RemoteLRS,
    Result,
    StateDocument,
    Statement,
    StatementRef,
    Verb,
)

from tests.served import VOIDED, new_id, somebody, something


@pytest.fixture
def client(lrs: Any) -> RemoteLRS:
    return RemoteLRS(version="1.0.1", endpoint=f"{lrs.address}/xapi/", username=lrs.auth[0], password=lrs.auth[1])


def good(answer: Any) -> Any:
    """What the server answered; it must have said yes."""
    assert answer.success, answer.data
    return answer.content


def experienced(agent: dict[str, Any], **more: Any) -> Statement:
    name = ActivityDefinition(name=LanguageMap({"en": "A course"}))
    return Statement(
        actor=Agent(mbox=agent["mbox"]),
        verb=Verb(id="http://adlnet.gov/expapi/verbs/experienced", display=LanguageMap({"en": "experienced"})),
        object=Activity(id=something(), definition=name),
        **more,
    )


def test_about(client: RemoteLRS) -> None:
    assert good(client.about()).version == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]


def test_statements_are_saved_and_retrieved(client: RemoteLRS) -> None:
    agent, registration = somebody(), new_id()
    sent = experienced(agent, result=Result(success=True, response="x"), context=Context(registration=registration))

    saved = good(client.save_statement(sent))
    chosen = good(client.save_statement(experienced(agent, id=new_id())))
    kept = good(client.retrieve_statement(saved.id))

    assert kept.id == saved.id
    assert kept.actor.mbox == agent["mbox"]
    assert kept.object.definition.name["en"] == "A course"
    assert (kept.result.success, kept.result.response) == (True, "x")
    assert str(kept.context.registration) == registration
    assert kept.stored is not None
    assert kept.authority.name == "tests"
    assert good(client.retrieve_statement(chosen.id)).id == chosen.id


def test_batches_are_queried_page_by_page(client: RemoteLRS) -> None:
    agent = somebody()
    ids = [one.id for one in good(client.save_statements([experienced(agent) for _ in range(5)]))]
    query = {"agent": Agent(mbox=agent["mbox"]), "limit": 2, "ascending": "true"}

    page = good(client.query_statements(query))
    seen = [one.id for one in page.statements]
    while page.more:
        page = good(client.more_statements(page))
        seen += [one.id for one in page.statements]

    assert seen == ids


def test_a_refusal_is_told(client: RemoteLRS) -> None:
    wrong = experienced(somebody())
    wrong.verb = Verb(id="no iri")

    answer = client.save_statement(wrong)

    assert not answer.success
    assert answer.response.status == 400
    assert "/verb/id" in answer.data


def test_a_statement_is_voided(client: RemoteLRS) -> None:
    agent = somebody()
    target = good(client.save_statement(experienced(agent)))
    void = Statement(actor=Agent(mbox=agent["mbox"]), verb=Verb(id=VOIDED), object=StatementRef(id=target.id))

    good(client.save_statement(void))

    assert client.retrieve_statement(target.id).response.status == 404
    assert good(client.retrieve_voided_statement(target.id)).id == target.id


@pytest.fixture
def state() -> Callable[..., StateDocument]:
    agent, activity = somebody(), something()

    def made(content: str, **more: Any) -> StateDocument:
        return StateDocument(
            id="bookmark", content=content, activity=Activity(id=activity), agent=Agent(mbox=agent["mbox"]), **more
        )

    return made


def test_states(client: RemoteLRS, state: Callable[..., StateDocument]) -> None:
    one = state("page 1", content_type="text/plain")

    assert client.save_state(one).success
    kept = good(client.retrieve_state(one.activity, one.agent, "bookmark"))
    ids = good(client.retrieve_state_ids(one.activity, one.agent))

    assert bytes(kept.content) == b"page 1"
    assert ids == ["bookmark"]
    assert client.delete_state(one).success
    assert client.retrieve_state(one.activity, one.agent, "bookmark").response.status == 404
    assert client.save_state(one).success
    assert client.clear_state(one.activity, one.agent).success
    assert good(client.retrieve_state_ids(one.activity, one.agent)) == []


def test_a_state_with_a_stale_etag_is_not_changed(client: RemoteLRS, state: Callable[..., StateDocument]) -> None:
    one = state("page 1")
    client.save_state(one)

    stale = client.save_state(state("page 2", etag='"0000000000000000000000000000000000000000"'))
    kept = good(client.retrieve_state(one.activity, one.agent, "bookmark"))

    assert stale.response.status == 412
    assert bytes(kept.content) == b"page 1"


@pytest.mark.parametrize("kind", ["activity", "agent"])
def test_profiles_with_etags(client: RemoteLRS, lrs: Any, kind: str) -> None:
    """The client cannot send If-None-Match, without which 1.0.3 lets nobody create a profile: another one does."""
    agent, activity = somebody(), something()
    place = {"activity": Activity(id=activity)} if kind == "activity" else {"agent": Agent(mbox=agent["mbox"])}
    document = ActivityProfileDocument if kind == "activity" else AgentProfileDocument
    save, retrieve, ids_of, delete = (
        getattr(client, name)
        for name in (
            f"save_{kind}_profile",
            f"retrieve_{kind}_profile",
            f"retrieve_{kind}_profile_ids",
            f"delete_{kind}_profile",
        )
    )

    new = save(document(id="p", content="one", **place))
    params = {"activityId": activity} if kind == "activity" else {"agent": place["agent"].to_json()}
    resource = "activities/profile" if kind == "activity" else "agents/profile"
    first = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
    lrs.ask("PUT", resource, params={**params, "profileId": "p"}, content=b"one", headers=first)
    kept = good(retrieve(*place.values(), "p"))
    tag = retrieve(*place.values(), "p").response.getheader("ETag")
    blind = save(document(id="p", content="two", **place))
    second = save(document(id="p", content="three", etag=tag, **place))

    assert new.response.status == 400
    assert "send If-None-Match: * to create it" in new.data
    assert bytes(kept.content) == b"one"
    assert blind.response.status == 409
    assert second.success, second.data
    assert bytes(good(retrieve(*place.values(), "p")).content) == b"three"
    assert good(ids_of(*place.values())) == ["p"]
    again = document(id="p", content="", etag=retrieve(*place.values(), "p").response.getheader("ETag"), **place)
    assert delete(again).success
    assert retrieve(*place.values(), "p").response.status == 404
