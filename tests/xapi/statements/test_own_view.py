"""What somebody is shown of a statement: what is theirs, with the names of those who vouched for it, and no others."""

import json

from lrs.storage import Record
from lrs.storage.about import Whose
from lrs.xapi.statements.own_view import statement_shown

ANN = {"mbox": "mailto:ann@example.org", "name": "Ann"}
HASHED = {"mbox_sha1sum": "58f3e5ee1a0e4e8bba1ecbc0ec4bcf4d40d8b8a1"}
BEA = {"mbox": "mailto:bea@example.org", "name": "Bea"}
RAY = {"account": {"homePage": "https://centre.example", "name": "ray-17"}, "name": "Ray"}
MINE = Whose(("p",), ("i",), ({"mbox": ANN["mbox"]},))
DONE = {"verb": {"id": "https://example.org/did"}, "object": {"id": "https://example.org/course"}}


def shown(**statement):
    body = json.dumps({**DONE, **statement}).encode()
    return statement_shown(Record("statement", "1", body, {"source": "vle"}), MINE)


def test_of_a_group_only_oneself_is_there():
    told = shown(actor={"objectType": "Group", "name": "Class 4", "member": [ANN, BEA]}, result={"success": True})

    assert told["actor"]["member"] == [ANN]
    assert told["result"] == {"success": True}
    assert "bea" not in json.dumps(told).casefold()


def test_of_who_vouched_the_name_stays_and_of_others_nothing():
    team = {"objectType": "Group", **RAY, "member": [BEA]}

    told = shown(actor=ANN, context={"instructor": RAY, "team": team}, authority=RAY)

    assert told["context"] == {"instructor": {"name": "Ray"}, "team": {"objectType": "Group"}}
    assert told["authority"] == {}
    assert "ray-17" not in json.dumps(told)


def test_agents_in_extensions_and_inside_others_are_found_too():
    inner = {"objectType": "SubStatement", "actor": BEA, **DONE}

    told = shown(actor=ANN, object=inner, context={"extensions": {"https://example.org/with": [{"who": BEA}, ANN]}})

    assert told["object"]["actor"] == {}
    assert told["context"]["extensions"] == {"https://example.org/with": [{"who": {}}, ANN]}


def test_who_only_instructed_is_shown_that_and_no_result_of_another():
    told = shown(actor=BEA, context={"instructor": ANN, "platform": "x"}, result={"score": {"raw": 12}})

    assert told["context"] == {"instructor": ANN}
    assert {*told} == {"id", "verb", "object", "context", "stored", "source"}
