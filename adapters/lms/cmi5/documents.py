"""Which documents launched content may read and change (cmi5 10 and 11). Pure."""

from __future__ import annotations

import re

from adapters.lms.sessions.session import LaunchSession, agent_text
from adapters.lms.sessions.standing import breached
from adapters.lms.sessions.vocabulary import LAUNCH_DATA, PREFERENCES
from lrs.kernel.errors import Refused
from lrs.kernel.settings import KIB
from lrs.kernel.strict_json import parse
from lrs.xapi.documents.resources import Address
from lrs.xapi.request import JSON
from lrs.xapi.statements.formats import is_language_tag

MOST_PREFERENCES = 64 * KIB
_READING = {"GET", "HEAD"}
_LISTED = re.compile(r"[^,\s]+(?:,[^,\s]+)*")


def check_state(session: LaunchSession, address: Address, method: str) -> None:
    """Refuses (403) State of another learner or registration, and changes of LMS.LaunchData.

    Without a registration only the launched activity has State: what is kept under another one is not this content's.
    """
    if not same_learner(session, address.agent):
        raise breached("8.1.3.0-3", "agent is not the actor of the launch")
    if address.registration and address.registration != session.registration:
        raise breached("8.1.4.0-3", "registration is not the one of the launch")
    if not address.registration and address.activity != session.activity:
        raise breached("8.1.4.0-3", "State of another activity needs the registration of the launch")
    changes_it = address.document == LAUNCH_DATA or (address.document is None and method == "DELETE")
    if method not in _READING and changes_it:
        raise breached("10.2.1.0-5", "LMS.LaunchData cannot be changed or deleted: name another stateId")


def is_launch_data(address: Address) -> bool:
    """Whether *address* is that of LMS.LaunchData."""
    return address.document == LAUNCH_DATA


def check_agent_profile(session: LaunchSession, address: Address, method: str) -> None:
    """Refuses (403) profiles of others, documents that are not the preferences, and deleting these."""
    if not same_learner(session, address.agent):
        raise breached("11.0.0.0-1", "agent is not the actor of the launch")
    if address.document != PREFERENCES:
        raise breached("11.0.0.0-4", f"content reads and writes the document {PREFERENCES} only")
    if method == "DELETE":
        raise breached("11.0.0.0-5", "content cannot delete the learner's preferences")


def check_preferences(media_type: str, text: bytes, *, is_whole: bool) -> None:
    """Refuses (403) preferences that are none (11.1, 11.2). Not *is_whole*: they are merged into those there are."""
    if media_type != JSON:
        raise breached("11.0.0.0-5", "the preferences must be application/json")
    try:
        told = parse(text)
    except Refused as refused:
        raise breached("11.0.0.0-5", f"the preferences are not JSON: {refused.message}") from refused
    if not isinstance(told, dict):
        raise breached("11.0.0.0-5", "the preferences must be an object")
    for name in ("languagePreference", "audioPreference"):
        if (is_whole and name not in told) or not isinstance(told.get(name, ""), str):
            raise breached("11.0.0.0-5", f"the preferences need {name}, a text")
    languages = told.get("languagePreference")
    if languages is not None and not are_languages(languages):
        raise breached("11.1.0.0-1", "languagePreference must be language tags, with commas between them")
    if told.get("audioPreference", "on") not in {"on", "off"}:
        raise breached("11.2.0.0-1", "audioPreference must be on or off")


def are_languages(listed: str) -> bool:
    """Whether *listed* is a languagePreference: language tags with commas between them, without blanks (11.1)."""
    return bool(_LISTED.fullmatch(listed)) and all(map(is_language_tag, listed.split(",")))


def same_learner(session: LaunchSession, identity: str | None) -> bool:
    """Whether *identity* (``ifi_text``) is that of the learner of *session*."""
    return identity == agent_text(session.actor)
