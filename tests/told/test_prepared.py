"""What is made of a statement before it is stored, told whole: what finds it, whom it names, how it is mended, what it owes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.kernel.errors import Refused
from lrs.kernel.keys import pair
from lrs.kernel.settings import Settings
from lrs.xapi.statements import habits, limits
from lrs.xapi.statements.fingerprints import Prints
from lrs.xapi.statements.identity import SAME_PERSON, agent_of, agents_in, identifier_of, ifi_text, named_in
from lrs.xapi.statements.keys import (
    activity_key,
    agent_key,
    aside_keys,
    keys_of,
    refers_key,
    registration_key,
    source_key,
    verb_key,
)
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.validate import check
from tests.told.story import Story, inline, refusal
from tests.told.tabled import said
from tests.xapi.statements.examples import ATTACHMENT, ID, REF, REGISTRATION, VERB, statement, substatement

ACTORS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
A = {name: f"https://a.example/{name}" for name in ("object", "parent", "grouping", "category", "other", "second")}


def agent(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "mbox": f"mailto:{name}@a.example"}


def group(name: str, *members: str) -> dict[str, Any]:
    return {"objectType": "Group", "mbox": f"mailto:{name}@a.example", "member": [agent(one) for one in members]}


CONTEXT = {
    "registration": REGISTRATION.upper(),
    "instructor": agent("four"),
    "team": group("team", "five", "six"),
    "contextActivities": {
        "parent": [{"id": A["parent"]}, {"id": A["second"]}],
        **{name: [{"id": A[name]}] for name in ("grouping", "category", "other")},
    },
    "contextAgents": [{"objectType": "contextAgent", "agent": agent("seven")}, {"objectType": "contextAgent", "agent": agent("eight")}],
    "contextGroups": [{"objectType": "contextGroup", "group": group("nine", "ten", "eleven")}],
    "extensions": {SAME_PERSON: [agent("twelve"), {"openid": "https://id.example/x"}, 7, {"mbox": 7}]},
}  # fmt: skip
WHOLE = statement(actor=group("one", "two", "three"), object={"id": A["object"]}, context=CONTEXT)
CASES = {
    "everything": WHOLE,
    "about an agent": statement(actor=agent("one"), object=agent("two")),
    "about a group": statement(actor=agent("one"), object=group("two", "three", "four")),
    "about a statement": statement(actor=agent("one"), object=REF),
    "with another inside": statement(
        actor=agent("one"),
        object=substatement(actor=group("two", "three"), object={"id": A["object"]}, context={"instructor": agent("four"), "contextActivities": {"parent": [{"id": A["parent"]}]}}),
    ),
    "with another about an agent inside": statement(actor=agent("one"), object=substatement(actor=agent("two"), object=agent("three"))),
    "with an authority": statement(actor=agent("one"), object={"id": A["object"]}, authority={"objectType": "Group", "member": [agent("two"), agent("three")]}),
}  # fmt: skip


def named_keys() -> dict[int, str]:
    """What each key of these statements is called."""
    plain = {
        verb_key(VERB["id"]): "verb",
        registration_key(REGISTRATION): "registration",
        source_key("vle"): "source",
        refers_key(ID): "refers",
    }
    plain |= {agent_key(f"mbox:mailto:{name}@a.example"): name for name in (*ACTORS, "team", "ours")}
    plain |= {activity_key(id): name for name, id in A.items()}
    related = {
        agent_key(f"mbox:mailto:{name}@a.example", related=True): f"related {name}"
        for name in (*ACTORS, "team", "ours")
    }
    related |= {activity_key(id, related=True): f"related {name}" for name, id in A.items()}
    pairs = {pair(one, other): f"{plain[one]} with {plain[other]}" for one, other in combinations(plain, 2)}
    return (
        plain
        | related
        | pairs
        | {pair(other, one): f"{plain[one]} with {plain[other]}" for one, other in combinations(plain, 2)}
    )


def test_what_finds_a_statement_and_whom_it_names(told: Any) -> None:
    story, names = Story(), named_keys()
    people = {found.id: name for name in (*ACTORS, "team") if (found := identifier_of(agent(name)))}
    for what, one in CASES.items():
        check(one, "2.0.0")
        story.head(what)
        for how, keys in (
            ("found by", keys_of(one)),
            ("and by us", keys_of(one, "mbox:mailto:ours@a.example")),
            ("in quarantine", aside_keys(one)),
        ):
            told_before = set(keys_of(one)) if how == "and by us" else set()
            story.say(
                f"{how}: {', '.join(sorted(names.get(key, 'unknown') for key in keys if key not in told_before))}"
            )
        story.say(f"agents: {[ifi_text(found) for found in agents_in(one)]}")
        story.say(f"names: {sorted(people.get(name, 'another') for name in named_in(one))}")
    story.head("identifiers")
    for one in (
        *({"mbox": "mailto:A@b.example"}, {"mbox_sha1sum": "ABCDEF"}, {"openid": "https://a.example"}, {"member": []}, 7),
        *({"account": {"homePage": "https://a", "name": "b|c"}}, {"account": {"homePage": "https://a|b", "name": "c"}}, {"account": {"homePage": 7, "name": "x"}}),
        *({"account": {"homePage": "https://a"}}, {"mbox": 7}, {"account": "x"}),
    ):  # fmt: skip
        story.say(
            f"{inline(one)}: {said(identifier_of, one)} {said(ifi_text, one) if isinstance(one, dict) and 'member' in one else ''}"
        )
    for one in (
        {"mbox": "mailto:a@b"},
        {"account": {"homePage": "https://a|b", "name": "c:d"}},
        {"openid": "https://a:b"},
        {"mbox_sha1sum": "a"},
    ):
        story.say(f"{ifi_text(one)} -> {inline(agent_of(ifi_text(one) or ''))}")
    told(str(story), is_tidy=True)


GROUP_ACTIVITY = {"objectType": "GroupActivity", "id": A["object"]}
ZERO = {"score": {"min": 0, "max": 0, "raw": 0}, "success": True}
WRONG: dict[str, dict[str, Any]] = {
    "group activity": statement(object=GROUP_ACTIVITY),
    "in the context, the second": statement(
        context={"contextActivities": {"parent": [{"id": A["parent"]}, GROUP_ACTIVITY]}}
    ),
    "in the context, alone": statement(context={"contextActivities": {"other": GROUP_ACTIVITY}}),
    "in an inner one": statement(object=substatement(object=GROUP_ACTIVITY)),
    "another word": statement(object={"objectType": "Groupactivity", "id": A["object"]}),
    "an id without a scheme": statement(object={"id": "special exam/1"}),
    "a UUID": statement(object={"id": ID.upper()}),
    "200 signs": statement(object={"id": "x" * 200}),
    "201 signs": statement(object={"id": "x" * 201}),
    "an id with a colon": statement(object={"id": "a b:c"}),
    "blank": statement(object={"id": " "}),
    "a verb without a scheme": statement(verb={"id": "done"}),
    "nothing to score": statement(result=ZERO),
    "nothing to score, inside": statement(object=substatement(result=ZERO)),
    "nothing to score, but inside": statement(object=substatement(result={"score": {"raw": 1}}), result=ZERO),
    "a score without a range": statement(result={"score": {"min": 1, "max": 0}}),
    "a true range": statement(result={"score": {"min": True, "max": True}}),
    "no id": statement(object={"definition": {"name": {"en": "x"}}}),
    "no id, inside": statement(object=substatement(object={"objectType": "Activity"})),
    "two habits": statement(object={"objectType": "GroupActivity", "id": "x"}, result=ZERO),
    "a habit and something else": statement(object=GROUP_ACTIVITY, result={"duration": "x"}),
    "a habit and an attachment": statement(object=GROUP_ACTIVITY, attachments=[ATTACHMENT]),
    "no habit": statement(result={"duration": "x"}),
}


def test_how_known_faults_are_mended(told: Any) -> None:
    story = Story()
    for what, one in WRONG.items():
        with pytest.raises(Refused) as refused:
            check(one, "1.0.3")
        found = habits.recognised(one, refused.value, "1.0.3", ID)
        story.say(f"{what}: {refusal(refused.value)[:100]}", f"    {found and found[0]}")
        if found:
            text = json.dumps(one).encode()
            mended = json.loads(habits.mended_text(text, found[0], ID))
            story.say(
                f"    {inline({name: mended[name] for name in mended if mended[name] != one[name]})}",
                f"    {mended == found[1]}",
            )
    text = b'{"object": {"objectType":"GroupActivity","id":"https://a.example"}, "result": {"score": {"raw":1.0}}}'
    story.say(habits.mended_text(text, ["group-activity"], ID).decode())
    told(str(story), is_tidy=True)


def test_limits_of_what_is_sent(told: Any) -> None:
    story = Story()
    few = Settings(max_batch=2, max_statement=400, max_depth=8)

    def plan(text: Any, settings: Settings = Settings(), **more: Any) -> Any:  # noqa: B008 (frozen)
        made = prepare(
            who(),
            "1.0.3",
            text if isinstance(text, bytes) else json.dumps(text).encode(),
            Terms(settings, {}, **more),
        )
        return [
            [one.id for one in made.statements],
            made.weight,
            len(made.reads),
            [len(one.keys) for one in made.statements],
        ]

    one = statement(id=ID)
    for what, value, more in (
        ("one", one, {}),
        ("two", [one, statement(id=REGISTRATION)], {}),
        ("three, two allowed", [one] * 3, {"settings": few}),
        ("the same id twice", [one, statement(id=ID.upper())], {}),
        ("too large", statement(id=ID, result={"response": "x" * 400}), {"settings": few}),
        ("the second too large", [one, statement(result={"response": "x" * 400})], {"settings": few}),
        ("too deep", statement(id=ID, result={"extensions": {"https://a": [[[[[[[]]]]]]]}}), {"settings": few}),
        ("a list for PUT", [one], {"statement_id": ID}),
        ("another id for PUT", one, {"statement_id": REGISTRATION}),
        ("the same id for PUT", one, {"statement_id": ID.upper()}),
        ("none for PUT", statement(), {"statement_id": ID.upper()}),
        ("a text", b'"x"', {}),
        ("the second is wrong", [one, {}], {}),
        (
            "an attachment without data",
            statement(id=ID, attachments=[{n: v for n, v in ATTACHMENT.items() if n != "fileUrl"}]),
            {},
        ),
        ("an attachment elsewhere", statement(id=ID, attachments=[ATTACHMENT]), {}),
        ("a long text weighs more", statement(id=ID, result={"response": "x" * 20_000}), {}),
        ("a reference weighs more", statement(id=ID, object=REF), {}),
        ("as many members as may be", statement(id=ID, actor=group("one", *(f"m{n}" for n in range(497)))), {}),
        ("one more", statement(id=ID, actor=group("one", *(f"m{n}" for n in range(700)))), {}),
    ):
        story.say(f"{what}: {said(partial(plan, value, **more))}")
    story.say(
        said(limits.check_keys, limits.MOST_KEYS),
        said(limits.check_keys, limits.MOST_KEYS + 1),
        said(lambda: limits.too_many_rows(9).message),
    )
    told(str(story), is_tidy=True)


def who() -> Caller:
    authority = b'{"mbox":"mailto:ours@a.example"}'
    return Caller("key vle", "vle", authority, rights_of_key({"statements/write"}), "default", KEY)


def prints(*trees: Any, source: str = "vle") -> Iterator[str]:
    made = Prints(source)
    yield from (made.of(tree) for tree in trees)


def test_which_statements_are_the_same_again(told: Any) -> None:
    story = Story()
    plugin = {
        "http://lrs.learninglocker.net/define/extensions/info": {
            "https://github.com/xAPI-vle/moodle-logstore_xapi": "5"
        }
    }
    one = statement()
    cases = {
        "the same": (one, dict(reversed(one.items()))),
        "stored at another time": (one | {"stored": "2026-11-21T10:00:00Z"}, one | {"stored": "2026-11-21T11:00:00Z"}),
        "of another time": (one | {"timestamp": "2026-11-21T10:00:00Z"}, one | {"timestamp": "2026-11-21T11:00:00Z"}),
        "in another registration": (
            one | {"context": {"registration": ID}},
            one | {"context": {"registration": REGISTRATION}},
        ),
        "of Moodle's plugin, in another": (
            one | {"context": {"registration": ID, "extensions": plugin}},
            one | {"context": {"registration": REGISTRATION, "extensions": plugin}},
        ),
        "of another program, in another": (
            one | {"context": {"registration": ID, "extensions": {next(iter(plugin)): {}}}},
            one | {"context": {"registration": REGISTRATION, "extensions": {next(iter(plugin)): {}}}},
        ),
    }
    for what, (first, second) in cases.items():
        story.say(f"{what}: {[*prints(first)] == [*prints(second)]}")
    twice = [*prints(one, one)]
    story.say(
        f"twice in one batch: {twice[0] == twice[1]}, again {twice == [*prints(one, one)]}, of another source {twice == [*prints(one, one, source='x')]}"
    )
    told(str(story))
