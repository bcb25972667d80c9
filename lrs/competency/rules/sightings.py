"""Finds rules about activities that were never seen; most often the activity is misspelt. Reads only."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lrs.competency.rules.rules import ActivityRole, Rule
from lrs.competency.rules.unmatched import legible
from lrs.competency.seen import places
from lrs.kernel.keys import pair
from lrs.storage import Reader, each
from lrs.xapi.statements.keys import activity_key, source_key, verb_key


class NeverSeen(msgspec.Struct, frozen=True, order=True):
    """An activity in a role, and verbs with which *source* never sent it.

    *partly*: with other verbs of the rule it did.
    """

    source: str
    activity: str
    match: ActivityRole
    verbs: tuple[str, ...]
    partly: bool


def never_seen(reader: Reader, rules: Iterable[Rule]) -> list[NeverSeen]:
    """The activities of *rules* that the trusted sources never sent, in order.

    An activity costs one look-up. A type costs a walk over the source's statements with the verb, until one has the
    type.
    """
    found = {
        NeverSeen(source, rule.activity, rule.match, missing, partly=len(missing) < len(rule.verbs))
        for rule in rules
        for source in rule.sources
        if (missing := tuple(verb for verb in rule.verbs if not _was_seen(reader, rule, verb, source)))
    }
    return sorted(found)


def _was_seen(reader: Reader, rule: Rule, verb: str, source: str) -> bool:
    wanted = (rule.match, rule.activity)
    records = each(reader, "statement", *_keys(rule, verb), source_key(source))
    return any(seen.verb.id == verb and wanted in places(seen) for _, seen in legible(records))


def _keys(rule: Rule, verb: str) -> list[int]:
    """The search keys of the activity; types have none."""
    if rule.match == "activity":
        return [pair(activity_key(rule.activity), verb_key(verb))]
    if rule.match == "type":
        return [verb_key(verb)]
    return [activity_key(rule.activity, related=True), verb_key(verb)]
