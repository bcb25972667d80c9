"""Achievements in the store: the version that badges get now, and all versions before it, under lasting addresses.

A version is made with the first badge, when a steward writes other words or sets another image, and when the address
of this server is another. It never changes, so what a badge says of itself can be looked up for ever.

kind ``achievement``: one version, as JSON, without learners; the first one has the id of the achievement. meta has the
achievement (``of``), the ``version``, and the ``blob`` of an image that was uploaded. kind ``framework-item``: what an
alignment points to, a CASE item and the statements below it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from msgspec.structs import replace
from msgspec.structs import replace as replace_struct

from badges.achievements import wording
from badges.achievements.framework_words import FrameworkWords, words_of
from badges.achievements.pictures import picture_for
from badges.achievements.wording import BadgeWording
from badges.achievements.words import LONGEST_LINE, words
from badges.content.attainment import Attainment
from badges.content.compose import Achievement, Alignment, achievement_json
from badges.keys.issuer import Issuer, address, public_url
from lrs.competency.frameworks.frameworks import versions
from lrs.competency.frameworks.levels import Level, LevelScale
from lrs.competency.shapes import AboutCompetency
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import cleaned
from lrs.kernel.strict_json import Json
from lrs.storage import Reader, Record, each
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND, ITEM = "achievement", "framework-item"
_ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`]+")


class FrameworkItem(msgspec.Struct, frozen=True):
    """The body of a ``framework-item`` record. *title* is that of the framework, *at* when it was made (µs UTC)."""

    v: int
    about: AboutCompetency
    scale: LevelScale
    title: str
    at: int


class AchievementVersion(msgspec.Struct, frozen=True):
    """The version *id* of an *achievement*. *records* have to be stored with the first badge that gets it.

    A held badge of a version below *least* is issued anew.
    """

    achievement: str
    id: str
    number: int
    json: Json
    least: int
    records: tuple[Record, ...] = ()


def current(tenant: Tenant, reader: Reader, issuer: Issuer, attainment: Attainment) -> AchievementVersion:
    """The version that a badge gets now: the stored one, or a new one if there is none at the present address."""
    stored = reader.get(wording.KIND, attainment.id)
    held = wording.read(stored) if stored else wording.wording_of(reader, attainment)
    record = reader.get(KIND, held.current) if held.current else None
    body = json.loads(record.body) if record else {}
    if record and body["id"] == address(tenant, f"achievements/{record.id}"):
        return AchievementVersion(attainment.id, record.id, held.version, body, held.least)
    return new_version(tenant, reader, issuer, held)


def new_version(
    tenant: Tenant, reader: Reader, issuer: Issuer, held: BadgeWording, *, anew: bool = False
) -> AchievementVersion:
    """The next version of the words *held*, with the records that make it the current one.

    With *anew*, held badges of versions before it have to be issued anew.
    """
    attainment = held.attainment
    before = reader.get(KIND, held.current or attainment.id)
    number = max(held.version, 1 if before else 0) + 1
    framework = words_of(versions(reader, attainment.about.framework), attainment)
    made = _written(tenant, issuer, held, framework)
    id = version_id(attainment.id, number)
    places = _places(tenant, id)
    former = (address(tenant, f"achievements/{before.id}"), number - 1) if before else None
    body = achievement_json(replace(made, **places, version=number, former=former))
    now = replace_struct(held, version=number, current=id, least=number if anew else held.least)
    records = (
        _version_record(reader, id, body, attainment, number),
        *_item_records(tenant, reader, attainment, framework),
        stored_wording(reader, now),
    )
    return AchievementVersion(attainment.id, id, number, body, now.least, records)


def preview(tenant: Tenant, reader: Reader, issuer: Issuer, held: BadgeWording) -> Achievement:
    """What a badge would say with the words *held*, without the addresses of a version."""
    framework = words_of(versions(reader, held.about.framework), held.attainment)
    return _written(tenant, issuer, held, framework)


def is_up_to_date(tenant: Tenant, reader: Reader, issuer: Issuer, held: BadgeWording) -> bool:
    """Whether the current version says what a new one would: the framework or an image may have changed since."""
    record = reader.get(KIND, held.current) if held.current else None
    if record is None:
        return False
    names = ("name", "description", "inLanguage", "tag")
    stored, new = json.loads(record.body), achievement_json(preview(tenant, reader, issuer, held))
    same = [stored.get(one) for one in names] == [new.get(one) for one in names]
    narrative = stored["criteria"]["narrative"] == new["criteria"]["narrative"]
    return same and narrative and record.meta.get("blob") == picture_for(reader, held.attainment)


def version_id(achievement: str, number: int) -> str:
    """The id of a version. The first one has that of the achievement, as badges of earlier releases name it."""
    return achievement if number == 1 else name("achievement-version", achievement, number)


def versions_of(reader: Reader, achievement: str) -> list[tuple[str, int]]:
    """The versions of *achievement*, by their ids and numbers, newest first."""
    found = [(one.id, int(one.meta["version"])) for one in each(reader, KIND, key("achievement.of", achievement))]
    if not any(id == achievement for id, _ in found) and reader.get(KIND, achievement) is not None:
        found.append((achievement, 1))  # of a release that knew no versions
    return sorted(found, key=lambda one: -one[1])


def read_item(record: Record) -> FrameworkItem:
    """The competency in a ``framework-item`` *record*."""
    return msgspec.json.decode(record.body, type=FrameworkItem)


def stored_wording(reader: Reader, held: BadgeWording) -> Record:
    """The record of *held*, which takes the place of the stored one."""
    id, old = held.attainment.id, reader.get(wording.KIND, held.attainment.id)
    return Record(wording.KIND, id, msgspec.json.encode(held), rev=old.rev if old else 0)


def _written(tenant: Tenant, issuer: Issuer, held: BadgeWording, framework: FrameworkWords | None) -> Achievement:
    attainment = held.attainment
    said = words(attainment, framework, held.words)
    return Achievement(
        id="",
        name=said.name,
        description=said.description,
        criteria=said.criteria,
        level=_cleaned(attainment.level),
        scale=tuple(map(_cleaned, attainment.scale.levels)),
        alignment=_alignment(tenant, attainment, framework),
        language=said.language,
        tags=said.tags,
        creator=issuer.profile(),
    )


def _places(tenant: Tenant, id: str) -> dict[str, Any]:
    """The addresses of the version *id*; without a public address it has only a name."""
    return {
        "id": address(tenant, f"achievements/{id}"),
        "criteria_page": public_url(tenant, f"criteria/{id}"),
        "image": public_url(tenant, f"achievements/{id}/image.png"),
    }


def _alignment(tenant: Tenant, attainment: Attainment, framework: FrameworkWords | None) -> Alignment | None:
    """The framework's item: where it says it is, else our page of it; ``None`` without an address that answers."""
    about = attainment.about
    url = about.id if _is_address(about.id) else public_url(tenant, f"competencies/{item_id(attainment)}")
    title = framework.title if framework else about.framework
    label, title, code = (cleaned(text, LONGEST_LINE) for text in (about.label, title, about.code))
    return Alignment(url, label, title, code) if url else None


def _cleaned(level: Level) -> Level:
    said = cleaned(level.description, LONGEST_LINE) if level.description else None
    return Level(level.ordinal, cleaned(level.code, LONGEST_LINE), cleaned(level.label, LONGEST_LINE), said)


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def item_id(attainment: Attainment) -> str:
    """The id of the page of the competency in the meaning that was reached."""
    about = attainment.about
    return name("framework-item", about.framework, about.id, about.version)


def _version_record(reader: Reader, id: str, body: Json, attainment: Attainment, number: int) -> Record:
    picture = picture_for(reader, attainment)
    meta = {"of": attainment.id, "version": number, "item": item_id(attainment)}
    return Record(
        KIND,
        id,
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        meta=meta | ({"blob": picture} if picture else {}),
        keys=(key("achievement.of", attainment.id),),
    )


def _item_records(
    tenant: Tenant, reader: Reader, attainment: Attainment, framework: FrameworkWords | None
) -> tuple[Record, ...]:
    """The page of the competency, unless it is elsewhere or stored already."""
    if _is_address(attainment.about.id) or reader.get(ITEM, item_id(attainment)) is not None:
        return ()
    body = FrameworkItem(1, attainment.about, attainment.scale, framework.title if framework else "", tenant.clock())
    return (Record(ITEM, item_id(attainment), msgspec.json.encode(body)),)


KINDS = (
    Kind(
        KIND,
        "effect",
        subjects=None,
        retention="evidence",
        exported=True,
        blobs=lambda record: [str(record.meta["blob"])] if "blob" in record.meta else [],
    ),
    Kind(ITEM, "effect", FrameworkItem, 1, subjects=None, retention="evidence", exported=True),
)
"""Achievements are public and name nobody."""
