"""Rules as the rows of a table that gives these rules again. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lrs.competency.rules.rules import Ruleset


def cells_of(ruleset: Ruleset) -> Iterator[dict[str, str]]:
    """A row for each rule, by column (``mapping.ALIASES``). Competencies are named with the version of their framework.

    An empty text says that the rule asks for nothing there.
    """
    competencies = {one.key: one for one in ruleset.competencies}
    for rule in ruleset.rules:
        about = competencies[rule.competency]
        yield {
            "activity": rule.activity,
            "match": rule.match,
            "verb": "|".join(rule.verbs),
            "competency": f"{about.code}@{about.version}",
            "framework": about.framework,
            "level": str(rule.level),
            "threshold": "" if rule.threshold is None else f"{rule.threshold}%",
            "valid for": rule.valid_for or "",
            "requalify within": rule.window or "",
            "trusted source": "|".join(rule.sources),
            "scaled range": "-1..1" if rule.scaled_range[0] < 0 else "",
        }
