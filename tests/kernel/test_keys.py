"""Keys and names made of texts that anybody sends: long ones are made anew and do not stay in memory."""

import gc
import json
import tracemalloc
import uuid

import pytest

from lrs.kernel.keys import key
from lrs.kernel.names import NAMESPACE, name
from lrs.people.ids import keyed_with
from lrs.xapi.statements.definitions import side_records

LONG = "y" * 100_000
ACTOR = {"mbox": "mailto:a@example.org"}


def described(activity_id):
    return {"actor": ACTOR, "object": {"id": activity_id, "definition": {"type": "https://example.org/t"}}}


def named(person):
    return {"actor": {**ACTOR, "name": person}, "object": {"objectType": "StatementRef", "id": "1"}}


def account(person):
    return {
        "actor": {"name": "Ada", "account": {"homePage": "https://example.org", "name": person}},
        "object": {"objectType": "StatementRef", "id": "1"},
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda text: key("verb", text),
        lambda text: key("verb", "near", text),
        name,
        keyed_with(b"secret"),
        lambda text: side_records(described(f"https://example.org/{text}")),
        lambda text: side_records(named(text)),
        lambda text: side_records(account(text)),
    ],
    ids=["key", "second-part", "name", "identifier", "activity-id", "agent-name", "account-name"],
)
def test_long_texts_do_not_stay_in_memory(make):
    """Each text is one of its own, and long. A cache that keeps them holds 100 kB of each."""
    tracemalloc.start()
    try:
        make("first")
        before = tracemalloc.get_traced_memory()[0]
        for number in range(20):
            make(f"{number}{LONG}")
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert after - before < 200_000


def test_a_key_is_the_same_whether_its_text_is_cached_or_not():
    """Keys stand in the stores, so they never change."""
    assert key("verb", "https://example.org/did") == 2413794723638909012
    assert key("verb", LONG) == 3098816087043033
    assert key("verb", LONG, "b") != key("verb", LONG + "b")


@pytest.mark.parametrize("parts", [("award", "person", "K1", 2, 0), ("x" * 3_000,), ("Łódź", 'ab"c', -1), ()])
def test_a_name_is_the_uuid_of_version_5_that_everybody_makes_of_it(parts):
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))

    assert name(*parts) == str(uuid.uuid5(NAMESPACE, text))
