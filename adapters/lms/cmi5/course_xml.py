"""Reads a course structure (``cmi5.xml``) and says which requirement a wrong one breaks. Pure; knows no archive.

Rules: cmi5 section 13 (the structure) and 14 (what its addresses may be); ids as in ``@cmi5/requirements``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.lms.packages import bad_package
from adapters.lms.structure import AssignableUnit, Block, CoursePart, LanguageMap, Objective, Structure
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
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
"""The characters of RFC 3986, which RFC 1738 became."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
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
        where = _at(element)
        scheme = _SCHEME.match(url)
        if not _URL.fullmatch(url) or not _is_address(url):
            raise bad_package(
                f"{where}: {url[:200]!r} is no URL: blanks and such are written as %20", "cmi5 13.1.4.0-2"
            )
        taken = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)} & {*LAUNCH_PARAMETERS}
        if taken:
            message = f"{where}: the query has the parameter {min(taken)}, which the launch adds itself"
            raise bad_package(message, "cmi5 8.1.0.0-6")
        if scheme is not None:
            if scheme[1].lower() not in {"http", "https"}:
                raise bad_package(f"{where}: only http and https addresses can be launched", "cmi5 13.1.4.0-2")
        elif self._files is None:
            message = f"{where}: the address is relative, and a structure without a package has no files"
            raise bad_package(message, "cmi5 14.2.0.0-1")
        elif path_of(url) not in self._files:
            raise bad_package(f"{where}: {path_of(url)[:200]!r} is not in the package", "cmi5 14.1.0.0-4")
        return url


def path_of(url: str) -> str:
    """The path of a file that the relative *url* names in its package."""
    return unquote(url.partition("#")[0].partition("?")[0])


def _is_address(url: str) -> bool:
    """Whether *url* can be taken apart, and has a host if it has a scheme."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in {"http", "https"} else True


def _at(element: Element) -> str:
    return f"{NAME} line {element.sourceline}"


def _texts(element: Element, name: str) -> LanguageMap:
    """A language map. Texts without a language are under ``und`` (BCP 47); blanks around each go (13.1.0.0-1)."""
    found = element.findall(f"{NAMESPACE}{name}/{NAMESPACE}langstring")
    return {str(one.get("lang") or "und").strip(): "".join(one.itertext()).strip() for one in found}


def _text_in(element: Element, name: str) -> str:
    found = element.find(f"{NAMESPACE}{name}")
    return "" if found is None else "".join(found.itertext()).strip()
