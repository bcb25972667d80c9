"""The Agents resource answers with a Person (xapi.md 59)."""

import pytest

from lrs.xapi.agents import HANDLERS
from lrs.xapi.statements.definitions import side_records
from tests.builders import answer_of, request_to, tenant_in

ADA = '{"mbox":"mailto:ada@example.org"}'


@pytest.fixture
def tenant(tmp_path, store, clock):
    return tenant_in(tmp_path, store, clock)


def learn(tenant, *agents):
    for agent in agents:
        statement = {"actor": agent, "verb": {"id": "https://v"}, "object": {"id": "https://a.example/1"}}
        for record in side_records(statement):
            tenant.store.write(lambda tx, record=record: tx.insert(record)).result()


def ask(tenant, query, version="2.0.0"):
    return answer_of(HANDLERS, request_to(tenant, "GET", "agents", query, version=version))


def test_59_all_known_names_of_the_agent_are_told_and_nobody_elses(tenant):
    learn(
        tenant,
        {"mbox": "mailto:ada@example.org", "name": "Ada"},
        {"mbox": "mailto:ada@example.org", "name": "A. Lovelace"},
        {"mbox": "mailto:bob@example.org", "name": "Bob"},
    )

    seen = ask(tenant, {"agent": ADA})

    assert seen.json == {"objectType": "Person", "name": ["Ada", "A. Lovelace"], "mbox": ["mailto:ada@example.org"]}


@pytest.mark.parametrize(
    ("agent", "person"),
    [
        ('{"mbox":"mailto:x@y.example"}', {"mbox": ["mailto:x@y.example"]}),
        ('{"openid":"https://x.example/"}', {"openid": ["https://x.example/"]}),
        ('{"mbox_sha1sum":"' + "0" * 40 + '"}', {"mbox_sha1sum": ["0" * 40]}),
        (
            '{"account":{"homePage":"https://h.example","name":"x"}}',
            {"account": [{"homePage": "https://h.example", "name": "x"}]},
        ),
    ],
)
def test_59_an_unknown_agent_is_a_person_with_what_was_asked_for(tenant, agent, person):
    seen = ask(tenant, {"agent": agent})

    assert (seen.status, seen.json) == (200, {"objectType": "Person", **person})


def test_59_a_name_in_the_request_is_not_knowledge(tenant):
    seen = ask(tenant, {"agent": '{"mbox":"mailto:x@y.example","name":"Somebody"}'})

    assert "name" not in seen.json


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"agent": "not JSON"},
        {"agent": "{}"},
        {"agent": '{"objectType":"Agent"}'},
        {"agent": '{"mbox":"x"}'},
        {"agent": ADA, "foo": "bar"},
        {"Agent": ADA},
        [("agent", ADA), ("agent", ADA)],
    ],
    ids=str,
)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_59_a_missing_or_invalid_agent_is_400(tmp_path, clock, query, version):
    tenant = tenant_in(tmp_path, None, clock)

    assert ask(tenant, query, version).status == 400
