"""A commit on MongoDB of which nobody knows whether it was kept: the answer is lost, the command, or only late."""

from __future__ import annotations

import threading
import time

import pytest

from lrs.kernel.admission import OutcomeUnknown
from lrs.storage import Record, open_store
from tests.contract.acts import WAIT, claim, owing
from tests.contract.faults import Wire, failing

LOST = {"writeConcernError": {"code": 64, "errmsg": "not replicated in time"}}
"""The commit is kept, and the answer does not say so."""
NOT_SENT = {"errorCode": 89, "errorLabels": ["UnknownTransactionCommitResult"]}
"""The command does not arrive."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr("lrs.storage.mongo.writer._PATIENCE_S", 0.0)


@pytest.fixture
def store(mongo_url, clock):
    opened = open_store(mongo_url, clock=clock)
    yield opened
    opened.close()


def award(tx):
    return tx.insert(Record("award", "x"))


def test_a_claim_whose_settling_was_kept_is_not_held_any_more(store, mongo_client):
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")

    with failing(mongo_client, "commitTransaction", times=20, **LOST):
        error = store.settle(claims, award).exception(WAIT)

    assert isinstance(error, OutcomeUnknown)
    assert store.holds(claims[0]) is False
    assert store.count("award") == 1


def test_a_claim_whose_settling_was_not_kept_is_held_and_can_be_settled(store, mongo_client):
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")

    with failing(mongo_client, "commitTransaction", times=20, **NOT_SENT):
        error = store.settle(claims, award).exception(WAIT)

    assert isinstance(error, OutcomeUnknown)
    assert store.holds(claims[0]) is True
    assert store.settle(claims, award).result(WAIT).rev == 1
    assert store.holds(claims[0]) is False


def test_what_is_said_of_a_claim_stays_so_also_if_the_commit_arrives_late(mongo_server, mongo_url, clock):
    wire = Wire(mongo_server, word=b"commitTransaction")
    store = open_store(
        f"{wire.address}/{mongo_url.rpartition('/')[2]}?directConnection=true&socketTimeoutMS=500", clock=clock
    )
    owing(store, "a", "evaluate")
    claims = claim(store, "evaluate")
    wire.open.clear()
    error = store.settle(claims, award).exception(WAIT)
    assert isinstance(error, OutcomeUnknown)

    late, wire.open = wire.open, threading.Event()
    wire.open.set()
    is_held = store.holds(claims[0])
    answers = wire.answers
    late.set()
    until = time.monotonic() + WAIT
    while wire.answers == answers and time.monotonic() < until:
        time.sleep(0.01)

    assert is_held is True
    assert store.get("award", "x") is None
    assert store.settle(claims, award).result(WAIT).rev == 1
    store.close()
    wire.close()
