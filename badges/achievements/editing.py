"""Stewards change the words and the images of badges: each change is a new version, kept in the record of actions.

What badges get from then on changes; badges that are held stay as they are, unless the steward says that they are to
be issued anew. A version is worked out outside the writer, and the decision checks that nothing changed since. An image
may be that of many achievements, so their versions are made by a step.
"""

from __future__ import annotations

import re
from functools import partial

import msgspec

from badges.achievements import pictures, wording
from badges.achievements.achievements import AchievementVersion, new_version
from badges.achievements.pictures import Scope, scope_id, taken_in
from badges.achievements.wording import OwnWords
from badges.content.attainment import Attainment
from badges.keys.issuer import REWORD, issuer_of
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import hidden_character
from lrs.storage import Owed, Stale, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.formats import is_language_tag

REPICTURE = "repicture"
LONGEST = {"name": 120, "description": 2_000, "criteria": 10_000, "tag": 60}
"""Characters of each text."""
MOST_TAGS = 12
_TRIES = 4
_SPACES = re.compile(r"[ \t]+")


def checked(words: OwnWords) -> OwnWords:
    """*words* as they are kept: without blanks around them. Raises ``Refused`` with ``pointer`` to the wrong one."""
    texts = {name: getattr(words, name).strip() for name in ("name", "description", "criteria")}
    texts["name"] = _SPACES.sub(" ", texts["name"])
    tags = tuple(dict.fromkeys(tag.strip() for tag in words.tags if tag.strip()))
    for field, text in [*texts.items(), *(("tag", tag) for tag in tags)]:
        _check(field, text)
    if len(tags) > MOST_TAGS:
        raise Refused(f"There are more than {MOST_TAGS} keywords.", pointer="/tags", error="bad_words")
    if not is_language_tag(words.language):
        raise Refused(
            f"{words.language!r} is no language: write it like en or cy.", pointer="/language", error="bad_words"
        )
    return OwnWords(**texts, language=words.language, tags=tags)


def _check(field: str, text: str) -> None:
    pointer = "/tags" if field == "tag" else f"/{field}"
    hidden = hidden_character(text)
    if hidden or (field != "criteria" and "\n" in text and field != "description"):
        raise Refused(f"There is {hidden or 'a line end'} in it: take it out.", pointer=pointer, error="bad_words")
    if len(text) > LONGEST[field]:
        message = f"It has {len(text)} characters; at most {LONGEST[field]}."
        raise Refused(message, pointer=pointer, error="bad_words")


def write_words(tenant: Tenant, attainment: Attainment, words: OwnWords, *, by: str, anew: bool = False) -> int:
    """Makes *words* those of *attainment*. Gives the number of the new version. Raises ``Refused``.

    With *anew*, every held badge of it is issued anew with them, by the step "reword".
    """
    kept = checked(words)
    for _ in range(_TRIES - 1):
        try:
            return _change(tenant, attainment, by, kept, anew=anew)
        except Stale:
            continue
    return _change(tenant, attainment, by, kept, anew=anew)


def _change(tenant: Tenant, attainment: Attainment, by: str, words: OwnWords, *, anew: bool) -> int:
    reader = tenant.store
    held = msgspec.structs.replace(wording.wording_of(reader, attainment), words=words)
    version = new_version(tenant, reader, issuer_of(tenant), held, anew=anew)
    about = {"achievement": attainment.id, "version": str(version.number), "anew": "yes" if anew else "no"}
    action = "badge.words_written"
    tenant.store.write(partial(write_version, version=version, by=by, action=action, about=about, anew=anew)).result()
    return version.number


def write_version(
    tx: Tx, *, version: AchievementVersion, by: str, action: str, about: dict[str, str], anew: bool
) -> None:
    """Stores *version* with this commit; with *anew* it owes the step "reword". Raises ``Stale`` if it is outdated."""
    for record in version.records:
        if not record.rev and tx.get(record.kind, record.id) is not None:
            raise Stale(f"{record.kind} {record.id} appeared")
        tx.put(record)
    if anew:
        tx.owe(wording.KIND, version.achievement, Owed(REWORD))
    audit.append(tx, by, action, about)


def set_picture(
    tenant: Tenant, attainment: Attainment, scope: Scope, content: bytes, *, by: str, anew: bool = False
) -> None:
    """Makes the image *content* that of *scope* of *attainment*. Owes the step "repicture", which makes the versions.

    With *anew*, held badges are issued anew with it. Raises ``Refused`` for what is no image, or too large.
    """
    blob = tenant.store.blobs.put([taken_in(content)])
    about = {"achievement": attainment.id, "scope": scope, "image": blob, "anew": "yes" if anew else "no"}

    def decide(tx: Tx) -> None:
        _put_image(tx, scope_id(attainment, scope), blob, anew=anew)
        audit.append(tx, by, "badge.image_set", about)

    tenant.store.write(decide).result()


def remove_picture(tenant: Tenant, attainment: Attainment, scope: Scope, *, by: str, anew: bool) -> None:
    """Takes the image of *scope* away, and owes the step "repicture". Raises ``Refused`` (404).

    With *anew*, held badges are issued anew without it.
    """
    about = {"achievement": attainment.id, "scope": scope, "anew": "yes" if anew else "no"}

    def decide(tx: Tx) -> None:
        if scope not in pictures.uploaded(tx, attainment):
            raise Refused("There is no such image.", status=404, error="not_found")
        _put_image(tx, scope_id(attainment, scope), None, anew=anew)
        audit.append(tx, by, "badge.image_removed", about)

    tenant.store.write(decide).result()


def _put_image(tx: Tx, id: str, blob: str | None, *, anew: bool) -> None:
    tx.put(pictures.image_record(id, blob, tx.get(pictures.KIND, id), anew=anew))
    tx.owe(pictures.KIND, id, Owed(REPICTURE))
