"""From a file that an author sends to a version of a course: which format it is, its structure, its files as blobs.

The files are stored before the record that names them; those of an import that is refused are swept. Knows no HTTP.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from functools import partial
from typing import BinaryIO

from adapters.lms.cmi5 import course_xml
from adapters.lms.courses import courses
from adapters.lms.courses.courses import Imported, NewVersion
from adapters.lms.courses.packages import (
    MOST_BYTES,
    NO_PACKAGE,
    NO_STRUCTURE,
    PackageArchive,
    PackageFiles,
    bad_package,
)
from adapters.lms.courses.structure import CourseFormat, Structure, parts_of
from adapters.lms.scorm import manifest
from adapters.lms.tincan import tincan_xml
from lrs.kernel.plain_text import sized
from lrs.storage import ROWS, Blobs
from lrs.tenancy.tenants import Tenant

NO_FILES: PackageFiles = {}
_ZIP, _BLANKS, _UTF_16 = b"PK", b"\xef\xbb\xbf \t\r\n", (b"\xff\xfe", b"\xfe\xff")
_TIN_CAN = b"projecttincan.com"
_LOOKED_AT = 4_096
_NAMES: tuple[tuple[str, CourseFormat], ...] = (
    (course_xml.NAME, "cmi5"),
    (tincan_xml.NAME, "tincan"),
    (manifest.NAME, "scorm"),
)
"""The files that say what a package is, those that tell most first: authoring tools put several into one package."""
_MISSING = "the package has no cmi5.xml, tincan.xml or imsmanifest.xml in its root folder"
_NOT_PUBLISHED = "publish the course for cmi5, Tin Can or SCORM 1.2, and send that package as it is"
_IN_A_FOLDER = "zip the files themselves, not the folder they are in"


def import_course(tenant: Tenant, file: BinaryIO, name: str, by: str, client: str = "", source: str = "") -> Imported:
    """Imports *file*, which can be read from any place in it, for a *client* or an author of a *source*.

    Not for the event loop. Refuses (400, 413) what is no course, with the place and the requirement; then nothing is
    stored.
    """
    if file.seek(0, 2) > MOST_BYTES:
        raise bad_package(f"a package may have {sized(MOST_BYTES)}", status=413)
    file.seek(0)
    start = file.read(64)
    file.seek(0)
    if start.startswith(_ZIP):
        format, structure, files = _of_archive(file, tenant.store.blobs)
    elif _may_be_xml(start):
        format, structure = _alone(_text_of(file))
        files = NO_FILES
    else:
        message = "the file is no course: send the zip package that your authoring tool exports, or a cmi5.xml"
        raise bad_package(message, NO_PACKAGE)
    new = NewVersion(
        structure=structure,
        file=name,
        files=files,
        package=secrets.token_hex(16),
        root=courses.root_of_activities(tenant),
        by=by,
        at=tenant.clock(),
        client=client,
        source=source,
        format=format,
    )
    weight = 3 * ROWS + len(files) + 2 * sum(1 for _ in parts_of(structure.children))
    return tenant.store.write(partial(courses.add_in, new=new), weight=weight).result()


def _may_be_xml(start: bytes) -> bool:
    """Whether a file that begins so may be a ``cmi5.xml``: a page of HTML is none."""
    told = start.lstrip(_BLANKS).lower()
    return start.startswith(_UTF_16) or (told.startswith(b"<") and not told.startswith((b"<!doctype html", b"<html")))


def _text_of(file: BinaryIO) -> bytes:
    text = file.read(course_xml.MOST_BYTES + 1)
    if len(text) > course_xml.MOST_BYTES:
        raise bad_package(f"a course structure may have {sized(course_xml.MOST_BYTES)}", status=413)
    return text


def _alone(text: bytes) -> tuple[CourseFormat, Structure]:
    """The structure in a file that came without a package; SCORM has none."""
    if _TIN_CAN in text[:_LOOKED_AT]:
        return "tincan", tincan_xml.read_tincan(text, None)
    return "cmi5", course_xml.read_structure(text, None)


def _of_archive(file: BinaryIO, blobs: Blobs) -> tuple[CourseFormat, Structure, PackageFiles]:
    archive = PackageArchive(file)
    try:
        name, format = next((one for one in _NAMES if one[0] in archive.names), ("", _NAMES[0][1]))
        if not name:
            raise bad_package(_why_no_structure(archive.names), NO_STRUCTURE)
        text = archive.read(name, course_xml.MOST_BYTES)
        structure = {
            "cmi5": course_xml.read_structure,
            "tincan": tincan_xml.read_tincan,
            "scorm": manifest.read_manifest,
        }[format](text, archive.names)
        return format, structure, archive.keep(blobs)
    finally:
        archive.close()


def _why_no_structure(names: Collection[str]) -> str:
    """Why the root folder of a package has no structure: it is in another folder, is called otherwise, or is absent."""
    known = [known for known, _ in _NAMES]
    there = min((one for one in names if one.rpartition("/")[2].lower() in known), key=_depth_and_name, default="")
    if not there:
        return f"{_MISSING}, nor in any other: {_NOT_PUBLISHED}"
    folder, _, called = there.rpartition("/")
    to_do = [_IN_A_FOLDER] if folder else []
    to_do += [f"call it {called.lower()}, in small letters"] if called not in known else []
    return f"{_MISSING}, but one at {there[:200]!r}: {', and '.join(to_do)}"


def _depth_and_name(path: str) -> tuple[int, str]:
    return path.count("/"), path
