"""Every kind of record that is written is declared, and what is declared of it is so."""

import ast
import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from lrs.composition.kinds import CONTROL, TENANT
from lrs.people.ids import ids_of
from lrs.storage import Record, about, each
from lrs.storage.kinds import Kind, collected
from lrs.tenancy import control
from lrs.xapi.documents import resources
from tests.everything import Everything
from tests.rows import each_of

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "DECISIONS.md"
_COUNTED = (
    "attempt attempts consent_days count evidence_count generation index level minutes number ordinal rules"
    " seats seq times tries v version"
)
COUNTS = frozenset(_COUNTED.split())
"""Whole numbers in bodies about people that are no times."""
ABOUT = {
    "registration": ("", "ann at work"),
    "launch-session": ("", "ann at work"),
    "statement": ("", "ann, ann at work, anne, ray, system, us, codes"),
    "quarantined": ("", "ann at work, system"),
    "agent_name": ("", "ann"),
    "state": ("", "ann at work"),
    "agent_profile": ("", "ann at work"),
    "person": ("ann, ann at work, anne", ""),
    "identifier": ("ann, ann at work, anne", "ann, ann at work, anne"),
    "link": ("ann, ann at work", ""),
    "suggestion": ("", "ann, anne"),
    "evidence": ("", "ann, ray"),
    "tally": ("", "ann, ray"),
    "uncompletion": ("", "ann"),
    "award": ("ann", ""),
    "award-lineage": ("ann", ""),
    "profile": ("ann", ""),
    "profile-head": ("ann", ""),
    "consent": ("ann", "new"),
    "consent-link": ("", "new"),
    "change": ("ann", ""),
    "disclosure": ("ann", ""),
    "outcome": ("ann", ""),
    "self-declared": ("ann", ""),
    "delivery": ("ann, ann at work", ""),
    "credential": ("ann", ""),
    "badge-stop": ("ann", ""),
    "badge-use": ("ann", ""),
    "badge-name": ("ann", ""),
    "endorsement": ("ann", ""),
    "badge-claim": ("ann", ""),
    "badge-share": ("ann", ""),
    "badge-certificate": ("ann", ""),
    "event-code-use": ("ann", ""),
    "badge-holder": ("ann", ""),
    "badge-exchange": ("ann", ""),
    "prior-badge": ("ann", ""),
    "audit": ("ann, ann at work", "new"),
    "staff": ("", "ann"),
    "learner-account": ("ann", "ann"),
    "learner": ("ann, ann at work, anne", "ann, ann at work, anne"),
    "question": ("ann", ""),
    "minor": ("ann, ann at work", ""),
    "confirmed-name": ("ann", ""),
    "told-name": ("", "ann"),
    "lti-user": ("ann at work", ""),
    "lti-member": ("ann at work", ""),
    "lti-grade": ("ann at work", ""),
    "lti-enrolment": ("ann at work", ""),
    "course-opening": ("ann", ""),
    "centre-session": ("", "ray"),
    "attendee": ("", "ann, ray, sue"),
    "learner-route": ("", "ann"),
    "plan-feed": ("ann", ""),
}
"""Whom the records of each kind in ``Everything`` are about: persons, then identifiers."""
ABOUT_NOBODY = {
    *("awaited", "definition", "activity_profile", "identity-authority", "nobody-names", "framework", "ruleset"),
    *("change-floor", "import", "import-row", "import-ledgers", "mapping-profile", "rules-draft"),
    *(
        "learner-list",
        "rematch",
        "read-again",
        "renaming",
        "service",
        "resync",
        "role",
        "occupation",
        "status-list",
        "status",
        "achievement",
        "badge-counts",
        "badge-wording",
        "trusted-issuer",
        "badge-image",
        "framework-item",
        "issuer",
    ),
    *("one-time-link", "oidc-provider", "tries", "badge-nonce", "event-code"),
    *("lti-platform", "lti-key", "lti-login", "lti-course", "lti-link"),
    *("apprenticeship-standard", "checklist", "checklist-version", "offering"),
    *("demand", "planning-regions", "planning"),
    *("course", "course-version", "lms-number", "course-client"),
    *("key", "session", "destination", "delivery-turn", "resting", "known-learners"),
    *("audit-head", "master-key", "wrapped-key"),
    *("signing-key", "kept-key", "sweep", "refusals"),
    *("source-switches", "source-name", "fingerprint", "quarantine-tally"),
}
"""Kinds that say that they are about nobody."""
NAMING_BLOBS = {
    "statement": 1,
    "state": 1,
    "activity_profile": 1,
    "agent_profile": 1,
    "import": 5,
    "rules-draft": 1,
    "course-version": 2,
    "achievement": 1,
    "badge-image": 1,
}
"""How many blobs the records of a kind in ``Everything`` name."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    lived = Everything(tmp_path_factory.mktemp("everything"))
    yield lived
    lived.close()


def records(everything, kind):
    return list(each(everything.tenant.store, kind))


@each_of("kind", sorted(TENANT))
def test_a_record_of_each_kind_is_about_the_persons_its_declaration_says(everything, kind):
    found = records(everything, kind)
    declared = TENANT[kind]

    assert found
    if kind in ABOUT_NOBODY:
        assert declared.subjects is None
        return
    persons, identifiers = (list(filter(None, names.split(", "))) for names in ABOUT[kind])
    told = [declared.subjects(record) for record in found]
    assert {one for each in told for one in each.persons} == {everything.person(who) for who in persons}
    ids = ids_of(everything.tenant)
    assert {ids(one) for each in told for one in each.identifiers} == {
        everything.identifier(who) for who in identifiers
    }


@each_of("kind", sorted(TENANT))
def test_the_body_of_each_kind_is_of_the_struct_and_the_version_it_is_declared_to_be(everything, kind):
    declared = TENANT[kind]
    if not declared.version:
        return

    bodies = [record.body for record in records(everything, kind) if record.body]

    assert bodies
    assert {msgspec.json.decode(body)["v"] for body in bodies} == {declared.version}
    for body in bodies if declared.body else ():
        assert msgspec.json.encode(msgspec.json.decode(body, type=declared.body)) == body


@each_of("kind", sorted(TENANT))
def test_the_blobs_that_a_record_names_are_known_from_its_meta_alone(everything, kind):
    blobs = TENANT[kind].blobs
    found = records(everything, kind)
    bare = [msgspec.structs.replace(record, body=b"") for record in found]

    named = {name for record in bare for name in blobs(record)} if blobs else set()

    assert len(named) == NAMING_BLOBS.get(kind, 0)
    assert all(everything.tenant.store.blobs.size(name) for name in named)


def test_every_whole_number_that_a_learner_is_shown_is_named_as_a_time_or_counts_something():
    bodies = [kind.body for kind in TENANT.values() if kind.subjects and kind.body]

    numbers = {name for body in bodies for name in _numbers(msgspec.inspect.type_info(body), "", ())}

    assert numbers == about.TIMES | COUNTS
    assert not about.TIMES & COUNTS


def _numbers(type, name, within):
    """The names of the fields of *type* that are whole numbers; those of a mapping or a list have its name."""
    match type:
        case msgspec.inspect.IntType():
            return {name}
        case msgspec.inspect.StructType(cls=cls, fields=fields) if cls not in within:
            return {one for each in fields for one in _numbers(each.type, each.encode_name, (*within, cls))}
        case msgspec.inspect.UnionType(types=parts) | msgspec.inspect.TupleType(item_types=parts):
            return {one for part in parts for one in _numbers(part, name, within)}
        case msgspec.inspect.DictType(value_type=part):
            return _numbers(part, name, within)
        case _ if hasattr(type, "item_type"):
            return _numbers(type.item_type, name, within)
    return set()


def test_a_number_as_large_as_a_time_is_shown_as_one_where_its_field_is_a_time_alone():
    record = Record("badge-use", "one", meta={}, body=b"")
    at = 1_795_262_400_000_000

    told = about.shown_as(record, {"number": at, "first": {"shared": at}, "attendance": [{"at": at, "minutes": at}]})

    assert told | {"at": ""} == {
        "id": "one",
        "at": "",
        "number": at,
        "first": {"shared": "2026-11-21T12:00:00.000000Z"},
        "attendance": [{"at": "2026-11-21T12:00:00.000000Z", "minutes": at}],
    }


def test_what_is_derived_never_leaves_and_is_kept_as_long_as_its_facts():
    derived = {
        name: (kind.retention, kind.exported, kind.basis) for name, kind in TENANT.items() if kind.class_ == "derived"
    }

    assert derived == dict.fromkeys(
        ("evidence", "tally", "uncompletion", "award", "profile"), ("derived", False, False)
    )


def test_what_derived_state_is_worked_out_from_are_facts_that_leave_with_an_export():
    basis = [kind for kind in TENANT.values() if kind.basis]

    assert {kind.name for kind in basis} == {
        *("statement", "person", "identifier", "link", "identity-authority", "nobody-names", "ruleset"),
        *("award-lineage", "profile-head"),
    }
    assert {(kind.class_, kind.exported) for kind in basis} == {("fact", True)}


def test_what_is_working_never_leaves_and_but_for_the_list_of_learners_is_about_nobody():
    working = [kind for kind in (*TENANT.values(), *CONTROL.values()) if kind.class_ == "working"]

    about_learners = [kind for kind in working if kind.subjects is not None]
    assert [(kind.name, kind.retention, kind.exported) for kind in about_learners] == [("learner", "derived", False)]
    others = [kind for kind in working if kind.subjects is None]
    assert {(kind.exported, kind.retention) for kind in others} == {(False, "operational")}


def test_a_kind_that_is_declared_twice_is_refused():
    kind = Kind("thing", "fact", subjects=None, retention="evidence", exported=True)

    with pytest.raises(ValueError, match="the kind 'thing' is declared twice"):
        collected([(kind,), (kind,)])


def test_every_kind_that_the_source_writes_is_declared_and_every_kind_that_is_declared_is_written():
    written = {kind for path in sources() for kind in written_in(path)}

    assert written == {*TENANT, *CONTROL}


def test_no_kind_is_asked_for_that_is_not_declared():
    asked = {kind for path in sources() for kind in asked_in(path.read_text())}

    assert len(asked) > 10
    assert asked <= {*TENANT, *CONTROL}


def test_a_kind_is_found_in_the_source_however_it_is_written():
    source = """
        Record("one", "id")
        Record(kind="two", id="id")
        Record(KIND, "id")
        Record(control.WORKER, "id")
        Record(*PAIR, meta={})
    """

    assert kinds_in(source, {"KIND": "three", "control": control, "PAIR": ("four", "id")}) == {
        *("one", "two", "three", "worker", "four"),
    }
    with pytest.raises(LookupError, match=r"which kind is x\.kind"):
        kinds_in("Record(x.kind, 'id')", {})


def test_every_kind_stands_in_the_table_of_the_decisions_with_its_class_what_it_is_kept_for_and_whether_it_leaves():
    rows = re.findall(
        r"^\| `([a-z_-]+)`[^|]* \| (\w+) \| (\w+) \| (yes|no) \| (.+) \|$", DECISIONS.read_text(), re.MULTILINE
    )

    written = {
        name: (class_, retention, leaves == "yes", about == "nobody") for name, class_, retention, leaves, about in rows
    }
    assert written == {
        name: (kind.class_, kind.retention, kind.exported, kind.subjects is None)
        for name, kind in {**TENANT, **CONTROL}.items()
    }


def asked_in(text):
    """The kinds that *text* writes out where it asks for records or owes something on one."""
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        place = {"Walk": 0, "each": 1, "get_many": 0, "owe": 0}.get(ast.unparse(call.func).rpartition(".")[2])
        for asked in call.args[place : place + 1] if place is not None else ():
            if isinstance(asked, ast.Constant):
                yield asked.value


def sources():
    """Our source, but for the storage: that writes what it is given."""
    found = [path for room in ("lrs", "badges", "adapters") for path in (ROOT / room).rglob("*.py")]
    assert len(found) > 250
    return [path for path in found if "storage" not in path.parts]


def written_in(path):
    text = path.read_text()
    if "Record(" not in text:
        return set()
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if not path.match("xapi/documents/change.py"):
        return kinds_in(text, vars(module))
    # There one call writes all three that are described.
    return {kind for one in resources.ALL for kind in kinds_in(text, {**vars(module), "address": one})}


def kinds_in(text, names):
    """The kinds of all ``Record(…)`` in *text*; *names* are those of its module."""
    calls = [node for node in ast.walk(ast.parse(dedent(text))) if isinstance(node, ast.Call)]
    made = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "Record"]
    return {kind_of(call, names) for call in made}


def kind_of(call, names):
    given = call.args[0] if call.args else next(word.value for word in call.keywords if word.arg == "kind")
    text = ast.unparse(given)
    try:
        value = eval(text.removeprefix("*"), dict(names))
    except NameError:
        raise LookupError(f"which kind is {text} in {ast.unparse(call)[:80]}?") from None
    return value[0] if text.startswith("*") else value
