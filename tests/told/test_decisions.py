"""What each learner holds and why, whole; who is one person; what rules would change; what is planned and counted."""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.catalogue.role_planning import plan_here
from adapters.planning import counting, figures
from lrs.competency.explain import Explanation, LevelExplanation, explain
from lrs.competency.rules.applying import look, ruleset_in
from lrs.competency.rules.losses import Swing
from lrs.competency.shapes import Profile, ProfileEntry
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Role, gap
from lrs.people import joins
from lrs.people.persons import identifiers_of, members_of, person_named
from lrs.people.search import described, search
from lrs.storage import each
from tests.telling import pretty
from tests.told import learning
from tests.told.network import Network, holders


def profile_of(network: Network, person: str) -> tuple[ProfileEntry, ...]:
    record = network.tenant.store.get("profile", person)
    return msgspec.json.decode(record.body, type=Profile).competencies if record else ()


def entry(one: ProfileEntry) -> str:
    until = f" until {one.valid_until}" if one.valid_until else ""
    review = f", in review until <{one.review.until}> by rules {one.review.rules}" if one.review else ""
    about = f"{one.competency.code}@{one.competency.version} {one.level.ordinal} {one.level.label}"
    return f"holds {about}: {one.state} since {one.since}{until}, {one.evidence_count} pieces{review}"


def level(one: LevelExplanation) -> list[str]:
    lines = [f"  {one.code} ({one.label}), level {one.level}"]
    for award in one.awards:
        more = "".join(f", {name} {award[name]}" for name in ("review_until", "because") if name in award)
        lines.append(f"    award {award['state']} from {award['held_from']} until {award['valid_until']}{more}")
    for each_ in one.evidence:
        asks = "" if each_.threshold is None else f" of {each_.threshold:g}"
        score = "" if each_.score is None else f", score {each_.score}{asks}"
        activity = each_.activity.removeprefix("https://vle.example/")
        trusted = "|".join(each_.trusted)
        says = f"{each_.timestamp} {each_.source}: {activity} (rule of {each_.rule_version}, trusts {trusted}){score}"
        lines.append(f"    {says}: {each_.reason or 'counts'}")
    return lines


def learner(network: Network, found: Explanation) -> str:
    lines = [f"{found.name} ({network.names.get(found.person or '', found.person)})"]
    lines += [f"  {entry(one)}" for one in profile_of(network, found.person or "")]
    return "\n".join([*lines, *(line for one in found.answers for line in level(one))])


def test_what_each_learner_holds_and_why(still: Network, told: Any) -> None:
    found = [learner(still, explain(still.tenant, one, find=person_named)) for one in holders(still)]
    nobodies = ["https://vle.example|guest", "9999999999", "1000000109", "https://vle.example|visitor"]
    found += [f"{one}\n" + learner(still, explain(still.tenant, one, find=person_named)) for one in nobodies]
    told.names = still.names
    told("\n\n".join(found))


def test_who_is_one_person(still: Network, told: Any) -> None:
    store, lines = still.tenant.store, []
    for one in holders(still):
        if len(members_of(store, one)) > 1 or len(identifiers_of(store, one)) > 1:
            lines.append(f"{still.names[one]}: {' + '.join(still.names[each_] for each_ in members_of(store, one))}")
            lines += [f"  {pretty_ifi(ifi)}" for ifi in identifiers_of(store, one)]
    for dismissed in (False, True):
        lines.append(f"suggested, and {'dismissed' if dismissed else 'open'}:")
        lines += [pretty(joins.shown(store, one)) for one in joins.suggestions(store, dismissed=dismissed)]
    told.names = still.names
    told("\n".join(lines))


def pretty_ifi(ifi: dict[str, Any]) -> str:
    return " ".join(map(str, ifi["account"].values())) if "account" in ifi else str(next(iter(ifi.values())))


SEARCHED = (
    "filed later", "twice a day",
    "much", "MUCH HELD", "held much", "zoe", "obrien", "o'brien", "lukasz", "renamed", "new name", "old name", "other name",
    "legal", "lena legal", "nameless", "joined-by-row", "1000000108", "https://vle.example|joined-by-row", "eighty",
    "exactly-eighty@example.org", "example.org", "apprentice 1", "apprentice", "nobody at all", "guest", "hashed-first@example.org",
)  # fmt: skip


def test_who_is_found_by_what(still: Network, told: Any) -> None:
    lines = []
    for text in SEARCHED:
        found = search(still.tenant, text)
        lines.append(f"{text}:{'' if found.whole else ' (and perhaps more)'}")
        lines += [f"  {described(one)}" for one in found.found]
    told.names = still.names
    told("\n".join(lines))


TABLES = {
    "stricter": learning.THIRD_RULES.replace(",1,80,", ",1,85,").replace("P12M,P30D", "P6M,P30D"),
    "milder": learning.THIRD_RULES.replace(",1,80,", ",1,79.99,").replace(",P12M,", ",,").replace(",,,vle|centre,\n", ",,,vle|centre|moodle,\n"),
    "without_gowning": "".join(
        row for row in learning.THIRD_RULES.splitlines(keepends=True) if "/gowning" not in row
    ),
    "shorter": learning.THIRD_RULES.replace("GOWN,https://example.org/frameworks/atmp,1,80,", "GOWN,https://example.org/frameworks/atmp,1,80,P2M").replace("P12M,P30D", "P24M,P30D"),
    "less_trust": learning.THIRD_RULES.replace("vle|centre", "centre").replace("|moodle", ""),
    "faulty": learning.HEAD + "\n" + "".join(
        f"{row}\n"
        for row in (
            "https://vle.example/a,,passed,GOWN,,1,80,,,vle,",
            "https://vle.example/a,,passed,NONE,,1,80,,,vle,",
            "https://vle.example/a,,passed,ASEP,,4,80,,,vle,",
            "https://vle.example/a,,passed,ASEP,,1,0.8,,,vle,",
            "https://vle.example/a,,passed,ASEP,,1,100.1,,,vle,",
            "https://vle.example/a,,passed,ASEP,,2,100,P1M,P31D,vle,",
            "https://vle.example/a,,passed,ASEP,,1,,P1M,P27D,nobody,",
            "https://vle.example/b,,seen,ASEP,,1,,,,vle,",
            "https://vle.example/b,,,ASEP,,1,,,,vle,",
            "no iri,,passed,ASEP,,1,,,,vle,",
            ",,passed,ASEP,,1,,,,vle,",
            "https://vle.example/b,other,passed,ASEP,,1,,,,vle,",
            "https://vle.example/b,,passed,ASEP,Advanced therapies,,,,,vle,-2..2",
            "https://vle.example/b,,passed,ASEP-2,Advanced therapies,,,P0D,,vle,",
            "https://vle.example/b,,passed,ASEP-2,Advanced therapies,,,P101Y,,vle,",
            "https://vle.example/c,,passed,ASEP-2,Nothing,,,,,vle,",
            "https://vle.example/c,,passed,ASEP-2@2,Advanced therapies,,,,,vle,",
            "https://vle.example/c,,passed,ASEP-2@1,Advanced therapies,,80%,,,,",
            "https://vle.example/c,,passed,ASEP-2@1,Advanced therapies,,80%,,,,",
        )
    ),
}  # fmt: skip


def swing(network: Network, one: Swing) -> str:
    does = "gains" if one.gained else "loses" if one.ends is None else f"has only until {one.ends}"
    return f"{network.names.get(one.person, one.person)} {does} {one.code} ({one.label}) {one.level}"


def test_what_rules_would_change(still: Network, told: Any) -> None:
    for name, table in TABLES.items():
        ruleset, faults = ruleset_in(still.tenant, table.encode())
        lines = [str(one) for one in faults]
        lines += look(still.tenant, ruleset, lambda _, found: [swing(still, one) for one in found])
        told("\n".join([f"version {ruleset.version}, {len(ruleset.rules)} rules", *lines]), name)


def test_what_each_learner_lacks_for_each_role_and_the_plan(still: Network, told: Any) -> None:
    """Those of whom the same is so stand together."""
    known = roles.labelled(still.tenant.store, list(roles.everyone(still.tenant.store)))
    for role in known:
        same: dict[str, list[str]] = {}
        said: dict[Any, str] = {}
        for one in holders(still):
            held = profile_of(still, one)
            alike = tuple((each_.competency.id, each_.level, each_.state, each_.valid_until) for each_ in held)
            if alike not in said:
                said[alike] = f"{lacks(role, held)}\n  {planned(still, role, held)}"
            same.setdefault(said[alike], []).append(still.names[one])
        told("\n\n".join(f"{text}\n  {', '.join(names)}" for text, names in same.items()), role.id)


def lacks(role: Role, held: tuple[ProfileEntry, ...]) -> str:
    found = gap(role, held)
    essentials = found["essentials"]
    about = f"{found['match']} %, essentials {essentials['met']} of {essentials['required']} {essentials['match']} %"
    rows = [
        f"{row['label']} {row['result']} {row['level']} of {row['required']}, short {row['shortfall']},"
        f" until {row['validUntil']}, weight {row['weight']}{'' if row['essential'] else ', optional'}"
        for row in found["requirements"]
    ]
    return "\n  ".join([f"{about}{', full' if found['full'] else ''}", *rows])


def planned(network: Network, role: Role, held: tuple[ProfileEntry, ...]) -> str:
    plan = plan_here(network.tenant, role, held)
    steps = [
        f"{one.offered.id} for {', '.join(each_.competency for each_ in one.closes)}"
        + (f" (opens {', '.join(one.opens)})" if one.opens else "")
        for one in plan.steps
    ]
    left = ", ".join(one.competency for one in plan.left) or "nothing"
    blocked = "".join(f"; {one.id} needs {', '.join(needs)}" for one, needs in plan.blocked)
    return f"plan: {' then '.join(steps) or 'nothing'}; {plan.hours:g} h{LESS * plan.silent}; left {left}{blocked}"


LESS = " and something of unknown length"


def test_what_is_planned(still: Network, told: Any) -> None:
    counted = counting.count(still.tenant)
    shown, exact = figures.shown(counted), {one.what: one.number for one in counted.counts}
    lines = [f"smallest {shown.k}"]
    lines += [
        f"{' | '.join(msgspec.structs.astuple(what))}: {exact.get(what, 0)} shown as {number}"
        for what, number in sorted(shown.counts.items())
    ]
    told("\n".join(lines))


def test_what_badges_say(still: Network, told: Any) -> None:
    """Of whom, what for, for how long, and by what evidence; those that say the same stand together."""
    same: dict[str, list[str]] = {}
    for record in each(still.tenant.store, "credential"):
        badge = msgspec.json.decode(record.body)
        subject = badge["credentialSubject"]
        lines = [
            f"{subject['achievement']['name']}, {record.meta['state']}, {badge['validFrom']} to {badge.get('validUntil')}"
        ]
        lines += [
            f"  {one.get('name')}: {one.get('description')} {one.get('narrative', '')}"
            for one in badge.get("evidence", [])
        ]
        lines.append(
            f"  alignments {[one.get('targetName') for one in subject['achievement'].get('alignment', [])]}, results {subject.get('result')}"
        )
        same.setdefault("\n".join(lines), []).append(still.names[str(record.meta["person"])])
    told.names = still.names
    told("\n".join(f"{text}\n  {', '.join(names)}" for text, names in same.items()))


def test_which_records_there_are(still: Network, told: Any) -> None:
    """What the learning came to, by kind; bodies of badges, awards and profiles are told elsewhere."""
    lines = []
    kinds = ("award", "award-lineage", "profile-head", "change", "delivery", "consent", "consent-link", "audit")
    lines += [f"{kind}: {sum(1 for _ in each(still.tenant.store, kind))}" for kind in kinds]
    for record in each(still.tenant.store, "change"):
        body = msgspec.json.decode(record.body)
        lines.append(
            pretty(
                {name: body[name] for name in body if name not in {"seen", "subject", "person"}}
                | {"of": still.names[body["person"]]}
            )
        )
    told.names = still.names
    told("\n".join(lines))
