"""The address that a learner's browser is sent to by a launch, in each format. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import LaunchSession


def launch_address(place: LmsPlace, session: LaunchSession, token: str) -> str:
    """The address of the unit of *session*; *token* is the secret of this launch."""
    if session.format == "scorm":
        return f"{place.content_root}/scorm/{token}"
    told = _of_tin_can(place, session, token) if session.format == "tincan" else _of_cmi5(place, session, token)
    return _with(session.url, told)


def _of_cmi5(place: LmsPlace, session: LaunchSession, token: str) -> Mapping[str, str]:
    """cmi5 8.1."""
    return {
        "endpoint": place.endpoint,
        "fetch": f"{place.root}/cmi5/fetch/{token}",
        "actor": msgspec.json.encode(session.actor).decode(),
        "registration": session.registration,
        "activityId": session.activity,
    }


def _of_tin_can(place: LmsPlace, session: LaunchSession, token: str) -> Mapping[str, str]:
    """Rustici's launch guideline. The endpoint ends in a slash: content appends ``statements``."""
    return {
        "endpoint": f"{place.endpoint}/",
        "auth": f"Basic {b64encode(f'{session.id}:{token}'.encode()).decode()}",
        "actor": msgspec.json.encode(session.actor).decode(),
        "registration": session.registration,
        "activity_id": session.activity,
    }


def _with(url: str, told: Mapping[str, str]) -> str:
    """*url* with parameters behind whatever query it has."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
    base, hash_, fragment = url.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{query}{hash_}{fragment}"
