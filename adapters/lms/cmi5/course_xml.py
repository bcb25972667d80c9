"""Reads a course structure (``cmi5.xml``) and says which requirement a wrong one breaks. Pure; knows no archive.

Rules: cmi5 section 13 (the structure) and 14 (what its addresses may be); ids as in ``@cmi5/requirements``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from adapters.lms.courses.packages import bad_package
from adapters.lms.courses.structure import AssignableUnit, Block, CoursePart, LanguageMap, Objective, Structure
from adapters.lms.courses.unit_addresses import AddressFault, fault_of
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.kernel.xml import Element, XmlSchema, parse_xml
from lrs.xapi.statements.formats import is_iri

NAME = "cmi5.xml"
MOST_BYTES = 16 * MIB
"""Bytes of a course structure. One of 1,500 units has about one megabyte."""
NAMESPACE = "{https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd}"
LAUNCH_PARAMETERS = ("endpoint", "fetch", "actor", "registration", "activityId")
"""The names that a launch adds to the address of a unit (8.1)."""
_RULES: Mapping[AddressFault, str] = {
    "form": "cmi5 13.1.4.0-2",
    "scheme": "cmi5 13.1.4.0-2",
    "taken": "cmi5 8.1.0.0-6",
    "alone": "cmi5 14.2.0.0-1",
    "missing": "cmi5 14.1.0.0-4",
}
_LISTED = 3


def read_structure(text: bytes, files: Collection[str] | None) -> Structure:
    """The structure in *text*. *files* are the paths in its package; ``None`` for a structure that came alone.

    Refuses (400) with the place and the requirement.
    """
    try:
        root = parse_xml(text, NAME)
    except Refused as refused:
        raise bad_package(refused.message, "cmi5 13.2.0.0-1") from refused
    if faults := _schema().faults(root):
        more = f" (and {len(faults) - _LISTED} more)" if len(faults) > _LISTED else ""
        told = "; ".join(fault.replace(NAMESPACE, "") for fault in faults[:_LISTED])
        raise bad_package(f"{NAME} does not have the form of a course structure: {told}{more}", "cmi5 13.2.0.0-1")
    return _Reading(files).course(root)


@cache
def _schema() -> XmlSchema:
    return XmlSchema(Path(__file__).with_name("course_structure.xsd"))


class _Reading:
    """One document: what has been seen of it, so that ids are unique and references lead somewhere."""

    def __init__(self, files: Collection[str] | None) -> None:
        self._files = files
        self._seen: set[tuple[str, str]] = set()

    def course(self, root: Element) -> Structure:
        course = root.find(f"{NAMESPACE}course")
        listed = root.findall(f"{NAMESPACE}objectives/{NAMESPACE}objective")
        objectives = tuple(
            Objective(self._id(one, "objective", "cmi5 13.1.3.0-1"), _texts(one, "title"), _texts(one, "description"))
            for one in listed
        )
        return Structure(
            id=self._id(course, "course", "cmi5 4.4.0.0-2"),
            title=_texts(course, "title"),
            description=_texts(course, "description"),
            children=self._children(root),
            objectives=objectives,
        )

    def _children(self, element: Element) -> tuple[CoursePart, ...]:
        """The blocks and units directly in *element*."""
        found: list[CoursePart] = []
        for child in element:
            if child.tag == f"{NAMESPACE}au":
                found.append(self._unit(child))
            elif child.tag == f"{NAMESPACE}block":
                found.append(self._block(child))
        return tuple(found)

    def _block(self, element: Element) -> Block:
        return Block(
            id=self._id(element, "block", "cmi5 13.1.2.0-1"),
            title=_texts(element, "title"),
            description=_texts(element, "description"),
            objectives=self._objectives(element),
            children=self._children(element),
        )

    def _unit(self, element: Element) -> AssignableUnit:
        score = element.get("masteryScore")
        return AssignableUnit(
            id=self._id(element, "au", "cmi5 13.1.4.0-1"),
            title=_texts(element, "title"),
            description=_texts(element, "description"),
            objectives=self._objectives(element),
            url=self._url(element.find(f"{NAMESPACE}url")),
            launch_method=element.get("launchMethod", "AnyWindow"),
            move_on=element.get("moveOn", "NotApplicable"),
            mastery_score=None if score is None else float(score),
            launch_parameters=_text_in(element, "launchParameters"),
            entitlement_key=_text_in(element, "entitlementKey"),
            activity_type=element.get("activityType", "").strip(),
        )

    def _id(self, element: Element, sort: str, unique: str) -> str:
        id = str(element.get("id", "")).strip()
        if not is_iri(id):
            message = f"{_at(element)}: the id of this {sort} is no IRI with a scheme, such as https://example.org/1"
            raise bad_package(message, "cmi5 3.0.0.0-1")
        if (sort, id) in self._seen:
            raise bad_package(f"{_at(element)}: another {sort} has the id {id} already", unique)
        self._seen.add((sort, id))
        return id

    def _objectives(self, element: Element) -> tuple[str, ...]:
        """The objectives that *element* refers to; each must be one of the course's."""
        found = element.findall(f"{NAMESPACE}objectives/{NAMESPACE}objective")
        for one in found:
            if ("objective", (one.get("idref") or "").strip()) not in self._seen:
                message = f"{_at(one)}: there is no objective {one.get('idref')!r} in the course's objectives"
                raise bad_package(message, "cmi5 4.4.0.0-2")
        return tuple(dict.fromkeys(one.get("idref").strip() for one in found))

    def _url(self, element: Element) -> str:
        url = "".join(element.itertext()).strip()
        if fault := fault_of(url, self._files, LAUNCH_PARAMETERS):
            raise bad_package(f"{_at(element)}: {fault[1]}", _RULES[fault[0]])
        return url


def _at(element: Element) -> str:
    return f"{NAME} line {element.sourceline}"


def _texts(element: Element, name: str) -> LanguageMap:
    """A language map. Texts without a language are under ``und`` (BCP 47); blanks around each go (13.1.0.0-1)."""
    found = element.findall(f"{NAMESPACE}{name}/{NAMESPACE}langstring")
    return {str(one.get("lang") or "und").strip(): "".join(one.itertext()).strip() for one in found}


def _text_in(element: Element, name: str) -> str:
    found = element.find(f"{NAMESPACE}{name}")
    return "" if found is None else "".join(found.itertext()).strip()
