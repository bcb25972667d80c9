"""Reads ``imsmanifest.xml`` of SCORM 1.2: items that lead to a resource are units. Pure; knows no archive.

Source: SCORM 1.2 Content Aggregation Model, 2.3. Prerequisites between items are not read: units are open in any order.
A manifest's identifier is often its authoring tool's, so the title is part of the id of the course.

Types are those of the SCORM profile of xAPI (2.2.3, Activity Types): a SCO is a *lesson*, whatever it contains, for a
test is said to be within one; an item that holds others is a *module*. The profile has no word for an asset, which
reports nothing: *media* is ADL's word for what SCORM calls so (CAM 2.1.1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import quote

from adapters.lms.courses.packages import PackageFaults, bad_package
from adapters.lms.courses.structure import AssignableUnit, Block, CoursePart, Structure
from adapters.lms.courses.unit_addresses import fault_of, written_out
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.kernel.xml import Element, parse_xml

NAME = "imsmanifest.xml"
MOST_BYTES = 16 * MIB
_ADLCP = "{http://www.adlnet.org/xsd/adlcp_rootv1p2}"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_TYPES = "http://adlnet.gov/expapi/activities"
COURSE, MODULE, SCO, ASSET = (f"{_TYPES}/{name}" for name in ("course", "module", "lesson", "media"))
_LATER = ("2004", "CAM 1.3")
MOST_ITEMS_DEEP = 50


def read_manifest(text: bytes, files: Collection[str]) -> Structure:
    """The structure in *text*; *files* are the paths in its package. Refuses (400) with the place."""
    try:
        root = parse_xml(text, NAME)
    except Refused as refused:
        raise bad_package(refused.message) from refused
    if _local(root) != "manifest":
        raise bad_package(f"{NAME} line {root.sourceline}: the root element is {_local(root)}, not manifest")
    version = " ".join(_text(one, "schemaversion") for one in _in(root, "metadata"))
    if any(later in version for later in _LATER):
        raise bad_package(f"this package is made for SCORM {version.strip()[:40]}: publish it for SCORM 1.2")
    return _Reading(root, files).course()


class _Reading:
    """One manifest: its resources by their identifiers, and the identifiers of items that were seen."""

    def __init__(self, root: Element, files: Collection[str]) -> None:
        self._root, self._files = root, files
        self._resources = {
            str(one.get("identifier", "")): (one, group, root)
            for group in _in(root, "resources")
            for one in _in(group, "resource")
        }
        self._seen: set[str] = set()
        self._id = ""
        self._faults = PackageFaults()

    def course(self) -> Structure:
        organization = self._organization()
        title = _text(organization, "title") or str(self._root.get("identifier", "")) or "Course"
        self._id = f"urn:scorm:{quote(str(self._root.get('identifier', '')), safe='')}:{quote(title[:200], safe='')}"
        children = self._children(organization, 1)
        self._faults.check()
        if not children:
            raise bad_package(f"{_at(organization)}: no item leads to a resource, so there is nothing to open")
        return Structure(self._id, {"und": title}, {}, children, activity_type=COURSE)

    def _organization(self) -> Element:
        found = [one for group in _in(self._root, "organizations") for one in _in(group, "organization")]
        named = [group.get("default") for group in _in(self._root, "organizations")]
        chosen = next((one for one in found if one.get("identifier") in named), found[0] if found else None)
        if chosen is None:
            raise bad_package(f"{NAME} has no organization, so there is nothing to open: it may be a package of assets")
        return chosen

    def _children(self, element: Element, depth: int) -> tuple[CoursePart, ...]:
        if depth > MOST_ITEMS_DEEP:
            raise bad_package(f"{_at(element)}: items stand in one another more than {MOST_ITEMS_DEEP} deep")
        parts = (self._faults.tried(self._part, item, depth, otherwise=None) for item in _in(element, "item"))
        return tuple(part for part in parts if part is not None)

    def _part(self, item: Element, depth: int) -> CoursePart | None:
        name = str(item.get("identifier", ""))
        if name in self._seen or not name:
            raise bad_package(f"{_at(item)}: the identifier {name[:200]!r} of this item is missing, or there twice")
        self._seen.add(name)
        id, title = f"{self._id}:{quote(name[:500], safe='')}", {"und": _text(item, "title") or name}
        if item.get("identifierref"):
            return self._unit(item, id, title)
        children = self._children(item, depth + 1)
        return Block(id, title, {}, children, activity_type=MODULE) if children else None

    def _unit(self, item: Element, id: str, title: Mapping[str, str]) -> AssignableUnit:
        found = self._resources.get(str(item.get("identifierref")))
        if found is None:
            raise bad_package(f"{_at(item)}: there is no resource {str(item.get('identifierref'))[:200]!r}")
        reports = (found[0].get(f"{_ADLCP}scormtype") or "sco").lower() == "sco"
        return AssignableUnit(
            id,
            title,
            {},
            self._faults.tried(self._url, item, *found, otherwise=""),
            move_on="CompletedOrPassed" if reports else "NotApplicable",
            mastery_score=self._faults.tried(_mastery, item, otherwise=None),
            launch_parameters=_text(item, "datafromlms", _ADLCP),
            activity_type=SCO if reports else ASSET,
            longest=_text(item, "maxtimeallowed", _ADLCP),
            when_over=_text(item, "timelimitaction", _ADLCP),
        )

    def _url(self, item: Element, resource: Element, group: Element, root: Element) -> str:
        base = "".join(str(one.get(_BASE) or "") for one in (root, group, resource))
        href = str(resource.get("href") or "").strip()
        if not href:
            raise bad_package(f"{_at(resource)}: the resource of {item.get('identifier')!r} has no href")
        url = written_out(base + href) + _parameters(str(item.get("parameters") or "").strip(), href)
        if fault := fault_of(url, self._files, ()):
            raise bad_package(f"{_at(resource)}: {fault[1]}")
        return url


def _parameters(given: str, href: str) -> str:
    """What an item's ``parameters`` add to the *href* of its resource (SCORM 1.2 CAM 2.3.4.4)."""
    plain = written_out(given.lstrip("?&"))
    if not plain or plain.startswith("#"):
        return plain
    return f"{'&' if '?' in href else '?'}{plain}"


def _mastery(item: Element) -> float | None:
    """The pass mark, between 0 and 1; in the manifest it is between 0 and 100."""
    told = _text(item, "masteryscore", _ADLCP)
    try:
        score = float(told) / 100 if told else None
    except ValueError:
        score = -1.0
    if score is not None and not 0 <= score <= 1:
        raise bad_package(f"{_at(item)}: the mastery score {told[:40]!r} is no number from 0 to 100")
    return score


def _in(element: Element, name: str) -> list[Element]:
    return [child for child in element if _local(child) == name]


def _text(element: Element, name: str, namespace: str = "") -> str:
    found = [one for one in element if (one.tag == namespace + name if namespace else _local(one) == name)]
    return "".join(found[0].itertext()).strip() if found else ""


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _at(element: Element) -> str:
    return f"{NAME} line {element.sourceline}"
