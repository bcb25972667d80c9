"""Courses and their versions as records. Every format of packages makes these; knows no format, no launch and no HTTP.

A course is one publisher's id (and the client that sent it, if one did); each import that changes something is its
next version. Activity ids that we give stay the same from version to version, so what somebody did in an old version
counts in the new one. A registration stays on its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from adapters.lms.courses import numbers
from adapters.lms.courses.packages import PackageFiles
from adapters.lms.courses.parts import VERSION, part_keys
from adapters.lms.courses.structure import (
    CourseFormat,
    LanguageMap,
    Structure,
    activities_in,
    name_of,
    shown_title,
    units_of,
    with_activities,
)
from lrs.access import CONTENT_SOURCE
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.printing import time_of
from lrs.storage import Reader, Record, Tx, Walk, walked
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.pages import root_of_names
from lrs.tenancy.tenants import Tenant

KIND = "course"


class Course(msgspec.Struct, frozen=True):
    """One course. *id* is its running number; *version* the one that new registrations get.

    *publisher* is the publisher's id. *client* is that which sent it and alone sees it; empty for one that was sent
    by the pages or the command. *source* is that of the author who sent it, if their role is bound to one. Times are
    microseconds UTC. A *withdrawn* course takes no registration or launch. The catalogue has those that are
    *in_catalogue*: everybody sees them, so a new course is not. One that is *open_to_learners* they open by themselves.
    """

    id: str
    publisher: str
    title: LanguageMap
    at: int
    by: str
    client: str = ""
    format: CourseFormat = "cmi5"
    version: int = 1
    withdrawn: bool = False
    source: str = ""
    in_catalogue: bool = True
    open_to_learners: bool = False
    v: int = 1

    @property
    def content_source(self) -> str:
        """The source of the statements of its content: that of all courses, or one for whoever sent this course.

        A package says itself which publisher's ids it has, so nobody else's shares the trust of ours.
        """
        if self.client:
            return f"{CONTENT_SOURCE} client {self.client}"
        return f"{CONTENT_SOURCE} {self.source}" if self.source else CONTENT_SOURCE

    def shown(self) -> dict[str, Any]:
        """The course for programs."""
        return {
            "id": self.id,
            "title": shown_title(self.title),
            "publisherId": self.publisher,
            "format": self.format,
            "version": self.version,
            "client": self.client or None,
            "source": self.content_source,
            "changed": time_of(self.at),
            "withdrawn": self.withdrawn,
            "inCatalogue": self.in_catalogue,
            "openToLearners": self.open_to_learners,
        }


class CourseVersion(msgspec.Struct, frozen=True):
    """One version of a course, from the file of this name. *package* is the name under which its files are served.

    It is random, so that only who was launched knows it; empty for a structure without files.
    """

    course: str
    number: int
    structure: Structure
    at: int
    by: str
    file: str
    package: str = ""
    size: int = 0
    v: int = 1

    def shown(self) -> dict[str, Any]:
        """The version for programs."""
        units = [
            {
                "index": index,
                "publisherId": unit.id,
                "activityId": unit.activity,
                "title": shown_title(unit.title),
                "moveOn": unit.move_on,
                "masteryScore": unit.mastery_score,
                "url": unit.url,
            }
            for index, unit in enumerate(units_of(self.structure))
        ]
        return {
            "version": self.number,
            "imported": time_of(self.at),
            "by": self.by,
            "file": self.file,
            "bytes": self.size,
            "aus": units,
        }


class NewVersion(msgspec.Struct, frozen=True):
    """What an import found: *structure* without activity ids of ours, *files*, and a random *package*.

    *root* begins the activity ids of a course that is new.
    """

    structure: Structure
    file: str
    files: PackageFiles
    package: str
    root: str
    by: str
    at: int
    client: str = ""
    source: str = ""
    format: CourseFormat = "cmi5"


class Imported(msgspec.Struct, frozen=True):
    """What an import came to. *is_new* is false if the course was there already in just this form.

    *is_back* says that the course had been withdrawn.
    """

    course: Course
    version: CourseVersion
    is_new: bool
    is_back: bool = False


def add_in(tx: Tx, new: NewVersion) -> Imported:
    """Stores the first or the next version of a course, or nothing if the current one is the same."""
    key = publisher_key(new.client, new.structure.id, new.source, new.format)
    found = tx.find(Walk(KIND, [key], limit=1)).records
    before = course_of(found[0]) if found else None
    kept = version_in(tx, before.id, before.version) if before else None
    id = before.id if before else str(numbers.draw(tx, "course"))
    structure = with_activities(new.structure, _activities(new, id, kept))
    if before and kept and not before.withdrawn and kept.structure == structure and _files(tx, kept) == new.files:
        return Imported(before, kept, is_new=False)
    number = before.version + 1 if before else 1
    size = sum(size for _, size in new.files.values())
    package = new.package if new.files else ""
    version = CourseVersion(id, number, structure, new.at, new.by, new.file, package, size)
    course = Course(
        *(id, structure.id, structure.title, new.at, new.by, new.client, new.format),
        version=number,
        source=new.source,
        in_catalogue=before is not None and before.in_catalogue,
        open_to_learners=before is not None and before.open_to_learners,
    )
    tx.put(record_of(course, rev=found[0].rev if found else 0))
    tx.insert(_version_record(version, new.files))
    audit.append(tx, new.by, "course.imported", {"course": id, "version": str(number)})
    return Imported(course, version, is_new=True, is_back=before is not None and before.withdrawn)


def _activities(new: NewVersion, course: str, kept: CourseVersion | None) -> dict[str, str]:
    """The activity id of each part: that of the version before, or a new one below *root*.

    Tin Can content calls its activities by the publisher's ids, so there its units keep these.
    """
    known = activities_in(kept.structure) if kept else {}
    if new.format == "tincan":
        known |= {name_of(unit): unit.id for unit in units_of(new.structure)}
    return {
        part: known.get(part) or f"{new.root}/courses/{course}/{name('course-part', course, part)}"
        for part in activities_in(new.structure)
    }


def course_in(reader: Reader, id: str, client: str | None = None) -> Course:
    """The course *id*. Refuses (404) if there is none, or if another *client* sent it; ``None`` sees all."""
    record = reader.get(KIND, id)
    found = course_of(record) if record else None
    if found is None or (client is not None and found.client != client):
        raise Refused(f"there is no course {id[:40]!r}: lrs courses list shows all", status=404, error="not_found")
    return found


def version_in(reader: Reader, course: str, number: int) -> CourseVersion:
    """A version of a course. Raises ``KeyError``."""
    record = reader.get(VERSION, f"{course}.{number}")
    if record is None:
        raise KeyError(f"{course}.{number}")
    return version_of(record)


def versions_in(reader: Reader, course: Course) -> list[CourseVersion]:
    """Every version of *course*, the newest first."""
    ids = [f"{course.id}.{number}" for number in range(course.version, 0, -1)]
    found = (reader.get(VERSION, id) for id in ids)  # one at a time: a structure may have a megabyte
    return [version_of(record) for record in found if record]


def newest(reader: Reader, limit: int = 1_000) -> Iterator[Course]:
    """The courses, the last changed first."""
    return map(course_of, islice(walked(reader, Walk(KIND, newest_first=True, limit=min(limit, 100))), limit))


def file_in(reader: Reader, package: str, path: str) -> tuple[str, int] | None:
    """The blob and the size of a file of a package that is in use; ``None`` if there is none."""
    found = reader.find(Walk(VERSION, [package_key(package)], limit=1, bare=True)).records
    if not found:
        return None
    course = reader.get(KIND, found[0].id.partition(".")[0])
    if course is None or course_of(course).withdrawn:
        return None
    blob, size = found[0].meta["files"].get(path, ("", 0))
    return (str(blob), int(size)) if blob else None


def publisher_key(client: str, publisher: str, source: str, format: CourseFormat) -> int:
    """The search key of the course of a publisher's id that a client, or an author of a source, sent."""
    return key("course.publisher", client, publisher, source, format)


def package_key(package: str) -> int:
    """The search key of the version whose files are served under this name."""
    return key("course.package", package)


def record_of(course: Course, rev: int = 0, seq: int = 0) -> Record:
    """The record of *course*."""
    keys = (publisher_key(course.client, course.publisher, course.source, course.format),)
    return Record(KIND, course.id, msgspec.json.encode(course), keys=keys, rev=rev, seq=seq)


def _version_record(version: CourseVersion, files: PackageFiles) -> Record:
    keys = part_keys(version.structure)
    keys |= {package_key(version.package)} if version.package else set()
    meta = {"files": {path: list(file) for path, file in files.items()}}
    body = msgspec.json.encode(version)
    return Record(VERSION, f"{version.course}.{version.number}", body, meta, tuple(sorted(keys)))


def _files(tx: Tx, version: CourseVersion) -> PackageFiles:
    record = tx.get(VERSION, f"{version.course}.{version.number}")
    return {path: (blob, size) for path, (blob, size) in record.meta["files"].items()} if record else {}


def course_of(record: Record) -> Course:
    """The course in *record*."""
    return msgspec.json.decode(record.body, type=Course)


def version_of(record: Record) -> CourseVersion:
    """The version in *record*."""
    return msgspec.json.decode(record.body, type=CourseVersion)


def root_of_activities(tenant: Tenant) -> str:
    """What the ids of activities that we name begin with."""
    return root_of_names(tenant.settings, tenant.id)


def _blobs(record: Record) -> Iterable[str]:
    return {blob for blob, _ in record.meta["files"].values()}


KINDS = (
    Kind(KIND, "fact", Course, 1, subjects=None, retention="configuration", exported=True),
    Kind(VERSION, "fact", CourseVersion, 1, subjects=None, retention="configuration", exported=True, blobs=_blobs),
)
