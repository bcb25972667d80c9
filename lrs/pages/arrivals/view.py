"""What the list of arrivals shows, as plain values. Pure: no store, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lrs.competency.rules.in_force import InForce
from lrs.kernel.times import micros_of_timestamp, timestamp_of_micros
from lrs.pages import reasons
from lrs.pages.arrivals.asked import Wanted
from lrs.pages.arrivals.outcomes import (
    COUNTED,
    NO_RULE,
    NOT_COUNTED,
    OTHER_VERB,
    REFUSED,
    StatementOutcome,
    level_named,
)
from lrs.pages.arrivals.reading import ArrivalsPage
from lrs.pages.told import ResultTold, StatementTold, last_part
from lrs.storage import Record, micros_of
from lrs.web.dates import written_moment
from lrs.web.listing import Asked, ListColumn, ListRow, cells_of
from lrs.web.refusals import Refusal

COLUMNS = (
    ListColumn("stored", "Received"),
    ListColumn("source", "Source", sortable=False, sources=True),
    ListColumn("who", "Who", sortable=False),
    ListColumn("did", "Did what", sortable=False),
    ListColumn("what", "To what", sortable=False),
    ListColumn("result", "Result", sortable=False),
    ListColumn("outcome", "What became of it", sortable=False),
)
FILE_COLUMNS = (
    *COLUMNS,
    *(ListColumn(name, name) for name in ("reason", "place", "rule", "statement", "verb", "activity", "timestamp")),
    *(ListColumn(name, name) for name in ("identifier", "scaled", "raw", "min", "max", "success", "completion")),
)
_OF_STATEMENTS = {one.name for one in FILE_COLUMNS} - {"stored", "source", "what", "outcome", "reason", "place", "rule"}
MOST_CHOICES = 12
"""Values of a facet that are shown."""
_SAID = {
    NO_RULE: "No rule is about it",
    "being read": "Being read: the worker has not come to it",
    "voided": "Voided",
    "voids": "It took a record back",
    "made here": "Made by this server",
    "unreadable": "Cannot be read",
}
_MOODS = {COUNTED: "good", NOT_COUNTED: "warn", "unreadable": "bad", REFUSED: "bad"}


def rows(
    page: ArrivalsPage,
    said: Mapping[str, StatementTold],
    outcomes: Mapping[str, StatementOutcome],
    rules: InForce,
    wanted: Wanted,
    *,
    root: str,
    zone: str,
    person: Mapping[str, str],
) -> list[ListRow]:
    """A row for each statement and each refusal. *person* is the parameter for an agent's text."""
    return [
        _refused(one, zone)
        if isinstance(one, Refusal)
        else _arrived(one, said[one.id], outcomes[one.id], rules, wanted, root, zone, person)
        for one in page.found
    ]


def _arrived(
    record: Record,
    one: StatementTold,
    outcome: StatementOutcome,
    rules: InForce,
    wanted: Wanted,
    root: str,
    zone: str,
    person: Mapping[str, str],
) -> ListRow:
    stored = micros_of(record.seq)
    links = {"stored": f"{root}/arrivals/statements/{record.id}", "did": wanted.address(root, verb=one.verb)}
    if one.agent:
        links["who"] = wanted.address(root, person=person[one.agent])
    if one.activity:
        links["what"] = wanted.address(root, activity=one.activity)
    return ListRow(
        {
            "stored": timestamp_of_micros(stored),
            "source": str(record.meta.get("source", "")),
            "who": one.who,
            "did": one.did,
            "what": one.what,
            "outcome": outcome.state,
            "reason": outcome_said(outcome, rules),
            "place": None,
            "rule": None,
            "statement": record.id,
            "verb": one.verb,
            "activity": one.activity,
            "timestamp": one.timestamp,
            "identifier": one.known,
            **_result(one.result),
        },
        {"stored": written_moment(stored, zone), "outcome": outcome_said(outcome, rules)},
        links,
        {"outcome": mood_of(outcome)},
        _beside(one),
    )


def _beside(one: StatementTold) -> dict[str, str]:
    """What stands small beside a name: the identifier or the IRI, where it is another text."""
    pairs = {"who": (one.known, one.who), "did": (one.verb, one.did), "what": (one.activity, one.what)}
    return {column: text if text != said else "" for column, (text, said) in pairs.items()}


def _result(one: ResultTold) -> dict[str, Any]:
    return {
        "result": one.said,
        **msgspec.structs.asdict(one.score),
        "success": one.success,
        "completion": one.completion,
    }


def _refused(one: Refusal, zone: str) -> ListRow:
    what, do = reasons.reason(one)
    told_of = "; ".join(part for part in (reasons.place(one), one.rule or "") if part)
    blank, refused = dict.fromkeys(_OF_STATEMENTS), micros_of_timestamp(one.at)
    return ListRow(
        {
            **blank,
            "stored": timestamp_of_micros(refused),
            "source": one.source,
            "what": f"{one.method} {one.resource}",
            "outcome": REFUSED,
            "reason": f"{what} {do}",
            "place": one.place,
            "rule": one.rule,
        },
        {
            "stored": written_moment(refused, zone),
            "who": "Not kept",
            "did": "Not kept",
            "result": "",
            "outcome": f"Refused ({one.status}): {what} {do}",
        },
        moods={"outcome": "bad", "who": "soft", "did": "soft"},
        beneath={"outcome": told_of},
    )


def mood_of(outcome: StatementOutcome) -> str:
    """How *outcome* is coloured."""
    return _MOODS.get(outcome.state, "soft")


def outcome_said(outcome: StatementOutcome, rules: InForce) -> str:
    """*outcome* in words."""
    if outcome.state == COUNTED:
        counted = dict.fromkeys(level_named(rules, one.rule) for one in outcome.verdicts if one.reason is None)
        return f"Counted for {', '.join(counted)}"
    if outcome.state == NOT_COUNTED:
        named = dict.fromkeys(f"{level_named(rules, one.rule)} ({one.reason})" for one in outcome.verdicts)
        return f"Does not count for {', '.join(named)}"
    if outcome.state == OTHER_VERB:
        verbs = dict.fromkeys(last_part(verb) for rule in outcome.others for verb in rule.verbs)
        about = dict.fromkeys(level_named(rules, rule) for rule in outcome.others)
        return f"Does not count for {', '.join(about)} (its rule counts only: {', '.join(verbs)})"
    return _SAID.get(outcome.state, outcome.state)


def listing(
    page: ArrivalsPage, shown: Sequence[ListRow], wanted: Wanted, *, root: str, zone: str, sources: Sequence[str]
) -> dict[str, Any]:
    """What ``shared/table.html`` shows of a page. *sources* are those that can be chosen."""
    order = "ascending" if wanted.oldest_first else "descending"
    turned = wanted.address(root, sort="" if wanted.oldest_first else "stored")
    return {
        "columns": [
            {
                "label": one.label,
                "order": order if one.name == "stored" else "",
                "address": turned if one.name == "stored" else "",
                "figure": False,
            }
            for one in COLUMNS
        ],
        "rows": [cells_of(COLUMNS, row) for row in shown],
        "facets": [_sources(wanted, root, sources), _verbs(wanted, root, shown), _refusals(wanted, root)],
        "before": wanted.address(root) if wanted.before is not None else "",
        "after": wanted.address(root, before=str(page.next)) if page.next is not None else "",
        "told": _told(page, shown, zone),
        "files": [
            {"text": name, "address": wanted.address(root, ending=f".{name.lower()}")} for name in ("CSV", "JSON")
        ],
    }


def _told(page: ArrivalsPage, shown: Sequence[ListRow], zone: str) -> str:
    if page.ended_early and page.next is not None:
        looked = written_moment(micros_of(page.next), zone)
        return f"{len(shown)} found among what was looked at, up to {looked}: there may be more further on"
    return f"{len(shown)} on this page" if shown else "Nothing to show"


def _sources(wanted: Wanted, root: str, sources: Sequence[str]) -> dict[str, Any]:
    choices = [_choice("All", "", wanted.source, wanted.address(root, source=""))]
    choices += [_choice(one, one, wanted.source, wanted.address(root, source=one)) for one in sources[:MOST_CHOICES]]
    return {"label": "Source", "choices": choices, "sources": True}


def _verbs(wanted: Wanted, root: str, shown: Sequence[ListRow]) -> dict[str, Any]:
    """The verbs of this page, the most frequent first."""
    found = Counter({wanted.verb: 0} if wanted.verb else {})
    found.update(row.values["verb"] for row in shown if row.values["verb"])
    words = {row.values["verb"]: row.values["did"] for row in shown if row.values["verb"]}
    choices = [_choice("All", "", wanted.verb, wanted.address(root, verb=""))]
    for verb, _ in found.most_common(MOST_CHOICES):
        word = words.get(verb) or last_part(verb)
        choices.append(_choice(word, verb, wanted.verb, wanted.address(root, verb=verb)))
    return {"label": "Did what (on this page)", "choices": choices}


def _refusals(wanted: Wanted, root: str) -> dict[str, Any]:
    chosen = "yes" if wanted.refused_only else ""
    alone = wanted.address(root, refused="yes", verb="", person="", activity="")
    return {
        "label": "Show",
        "choices": [
            _choice("All", "", chosen, wanted.address(root, refused="")),
            _choice("Refused only", "yes", chosen, alone),
        ],
    }


def _choice(text: str, value: str, chosen: str, address: str) -> dict[str, Any]:
    return {"text": text, "count": 0, "chosen": value == chosen, "address": address}


def as_asked(root: str) -> Asked:
    """The rows of a page for a file, in the form of ``lrs.web.listing``."""
    return Asked(f"{root}/arrivals", FILE_COLUMNS, {}, "", descending=False, part=1)
