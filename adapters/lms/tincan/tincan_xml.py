"""Reads ``tincan.xml``: the activities that can be launched are the units of a course. Pure; knows no archive.

The first activity names the course. One without ``launch`` is only described there (a slide, a question).
"""

from __future__ import annotations

from collections.abc import Collection

from adapters.lms.courses.packages import PackageFaults, bad_package
from adapters.lms.courses.structure import AssignableUnit, LanguageMap, Structure, shown_title
from adapters.lms.courses.unit_addresses import fault_of, written_out
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.kernel.xml import Element, parse_xml
from lrs.xapi.statements.formats import is_iri

NAME = "tincan.xml"
MOST_BYTES = 16 * MIB
LAUNCH_PARAMETERS = ("endpoint", "auth", "actor", "registration", "activity_id")
"""The names that a launch adds to the address of a unit."""


def read_tincan(text: bytes, files: Collection[str] | None) -> Structure:
    """The structure in *text*. *files* are the paths in its package; ``None`` for a ``tincan.xml`` that came alone.

    Refuses (400) with the place.
    """
    try:
        root = parse_xml(text, NAME)
    except Refused as refused:
        raise bad_package(refused.message) from refused
    if _local(root) != "tincan":
        raise bad_package(f"{NAME} line {root.sourceline}: the root element is {_local(root)}, not tincan")
    activities = [one for group in _in(root, "activities") for one in _in(group, "activity")]
    units = _units(activities, files)
    if not units:
        raise bad_package(f"{NAME} has no activity with a launch address, so there is nothing to open")
    first = activities[0]
    title, description = _texts(first, "name"), _texts(first, "description")
    launched = {unit.id for unit in units}
    described = tuple(id for one in activities[1:] if (id := _id(one)) not in launched)
    return Structure(
        _id(first),
        title or units[0].title,
        description,
        units,
        described=described,
        activity_type=_type(first),
        types={id: _type(one) for one in activities if _type(one) and (id := _id(one)) not in launched},
    )


def _units(activities: list[Element], files: Collection[str] | None) -> tuple[AssignableUnit, ...]:
    seen: set[str] = set()
    units, faults = [], PackageFaults()
    for one in activities:
        id = faults.tried(_new_id, one, seen, otherwise="")
        seen.add(id)
        if url := faults.tried(_launch, one, files, otherwise=""):
            units.append(_unit(one, id, url))
    faults.check()
    return tuple(units)


def _new_id(element: Element, seen: Collection[str]) -> str:
    id = _id(element)
    if id in seen:
        raise bad_package(f"{_at(element)}: another activity has the id {id[:200]} already")
    return id


def _unit(element: Element, id: str, url: str) -> AssignableUnit:
    return AssignableUnit(
        id,
        _texts(element, "name") or {"und": id},
        _texts(element, "description"),
        url,
        move_on="CompletedOrPassed",
        activity_type=_type(element),
    )


def _type(element: Element) -> str:
    return str(element.get("type", "")).strip()


def _id(element: Element) -> str:
    id = str(element.get("id", "")).strip()
    if not is_iri(id):
        raise bad_package(f"{_at(element)}: the id of this activity is no IRI with a scheme: no statement can have it")
    return id


def _launch(element: Element, files: Collection[str] | None) -> str:
    """The launch address: that in English, or the first; empty if there is none."""
    told = {str(one.get("lang") or "und"): "".join(one.itertext()).strip() for one in _in(element, "launch")}
    url = written_out(shown_title(told)) if told else ""
    if told and not url:
        raise bad_package(f"{_at(element)}: its launch address is empty")
    if url and (fault := fault_of(url, files, LAUNCH_PARAMETERS)):
        raise bad_package(f"{_at(element)}: {fault[1]}")
    return url


def _texts(element: Element, name: str) -> LanguageMap:
    found = {str(one.get("lang") or "und").strip(): "".join(one.itertext()).strip() for one in _in(element, name)}
    return {language: text for language, text in found.items() if text}


def _in(element: Element, name: str) -> list[Element]:
    return [child for child in element if _local(child) == name]


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _at(element: Element) -> str:
    return f"{NAME} line {element.sourceline}"
