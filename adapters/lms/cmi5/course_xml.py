"""Reads a course structure (``cmi5.xml``) and says which requirement a wrong one breaks. Pure; knows no archive.

Rules: cmi5 section 13 (the structure) and 14 (what its addresses may be); ids as in ``@cmi5/requirements``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from adapters.lms.courses.packages import PackageFaults, bad_package, listed
from adapters.lms.courses.structure import AssignableUnit, Block, CoursePart, LanguageMap, Objective, Structure
from adapters.lms.courses.unit_addresses import AddressFault, fault_of
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.kernel.xml import Element, SchemaFault, XmlSchema, parse_xml
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
_WORDS = (
    (re.compile(r"\[facet '\w+'\] "), ""),
    (re.compile(r"is not an element of the set \{(.*)\}"), r"is none of \1"),
    (re.compile(r"is not a valid value of the .*type '[^']*'"), "is not of the form that belongs there"),
    (re.compile(r"is not accepted by the pattern '[^']*'"), "is not of the form that belongs there"),
    (
        re.compile(r"This element is not expected\. Expected is (?:one of )?\( (.*) \)"),
        r"it is not expected here, but \1",
    ),
    (re.compile(r"This element is not expected"), "it is not expected here"),
    (re.compile(r"Missing child element\(s\)\. Expected is (?:one of )?\( (.*) \)"), r"it lacks \1"),
)
"""What a schema says, and how an author understands it."""


def read_structure(text: bytes, files: Collection[str] | None) -> Structure:
    """The structure in *text*. *files* are the paths in its package; ``None`` for a structure that came alone.

    Refuses (400) with the place and the requirement.
    """
    try:
        root = parse_xml(text, NAME)
    except Refused as refused:
        raise bad_package(refused.message, "cmi5 13.2.0.0-1") from refused
    if faults := _schema().found(root):
        raise bad_package(f"{NAME} does not have the form of a course structure: {_plainly(faults)}", "cmi5 13.2.0.0-1")
    reading = _Reading(files)
    found = reading.course(root)
    reading.faults.check()
    return found


def _plainly(faults: Sequence[SchemaFault]) -> str:
    """*faults* without the words of schemas. A value that breaks a limit is told twice: once is enough."""
    limits = {fault.line for fault in faults if "[facet " in fault.message}
    told = [fault for fault in faults if not (fault.line in limits and "is not a valid value" in fault.message)]
    return listed(f"line {fault.line}: {_plain(fault.message)}" for fault in told)


def _plain(message: str) -> str:
    message = message.replace(NAMESPACE, "")
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    return message


@cache
def _schema() -> XmlSchema:
    return XmlSchema(Path(__file__).with_name("course_structure.xsd"))


class _Reading:
    """One document: what has been seen of it, so that ids are unique and references lead somewhere."""

    def __init__(self, files: Collection[str] | None) -> None:
        self.faults = PackageFaults()
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
        return self.faults.tried(self._checked_id, element, sort, unique, otherwise="")

    def _checked_id(self, element: Element, sort: str, unique: str) -> str:
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
        return tuple(dict.fromkeys(self.faults.tried(self._objective, one, otherwise="") for one in found))

    def _objective(self, element: Element) -> str:
        id = str(element.get("idref") or "").strip()
        if ("objective", id) not in self._seen:
            message = f"{_at(element)}: there is no objective {id!r} in the course's objectives"
            raise bad_package(message, "cmi5 4.4.0.0-2")
        return id

    def _url(self, element: Element) -> str:
        return self.faults.tried(self._checked_url, element, otherwise="")

    def _checked_url(self, element: Element) -> str:
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
