"""Names that statements and files give to learners: the newest one of an agent, and what an authority says. Reads only.

Knows no search, and not what staff confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from lrs.access import is_of_content
from lrs.people.persons import identifiers_of
from lrs.people.told_names import newest_name
from lrs.storage import Reader, Record, Walk, each
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import agent_key, source_key

_STATEMENTS = 3


class _Said(msgspec.Struct, frozen=True):
    actor: Any = None


_decode = msgspec.json.Decoder(_Said).decode


def name_of(reader: Reader, ifi: dict[str, Any], source: str | None = None) -> str | None:
    """The name that the newest statements by the agent *ifi*, or by a group with it as member, or a file gave it.

    The newer one of both; with *source*, the newest that this source sent.
    """
    heard = heard_of(reader, ifi, source)
    return heard[1] if heard else None


def names_of(
    reader: Reader, identifiers: Iterable[dict[str, Any]], sources: Iterable[str | None] = (None,)
) -> list[str]:
    """The names of somebody with these *identifiers*, each once, the newest first: so is whom people joined called.

    One of each identifier and each of *sources*, ``None`` for whatever source.
    """
    asked = [(ifi, source) for source in sources for ifi in identifiers]
    heard = sorted(filter(None, (heard_of(reader, ifi, source) for ifi, source in asked)), reverse=True)
    return list(dict.fromkeys(name for _, name in heard))


def heard_of(reader: Reader, ifi: dict[str, Any], source: str | None) -> tuple[int, str] | None:
    """The name that ``name_of`` gives, after its place in the order."""
    agent = ifi_text(ifi) or ""
    both = (_name_in_statements(reader, agent, source), newest_name(reader, agent, source))
    return max((one for one in both if one is not None), default=None)


def authority_name(reader: Reader, holder: str) -> tuple[str, str] | None:
    """The name of *holder* in the newest statements of an identity authority, and that source; ``None`` if it has none.

    What other sources and files say does not count: anybody who may send could write what is signed or shown in public.
    """
    sources = [one.id for one in each(reader, "identity-authority") if not is_of_content(one.id)]
    for source in sources:
        for ifi in identifiers_of(reader, holder):
            found = _name_in_statements(reader, ifi_text(ifi) or "", source)
            if found is not None:
                return found[1], source
    return None


def _name_in_statements(reader: Reader, wanted: str, source: str | None) -> tuple[int, str] | None:
    """The name that the newest statements give, with its place in the order."""
    keys = [agent_key(wanted), *([source_key(source)] if source is not None else ())]
    for record in reader.find(Walk("statement", keys, newest_first=True, limit=_STATEMENTS)).records:
        for agent in _agents(record):
            name = agent.get("name")
            if isinstance(name, str) and name.strip() and ifi_text(agent) == wanted:
                return record.seq, name
    return None


def _agents(record: Record) -> Iterator[dict[str, Any]]:
    """The actor, and its members."""
    try:
        actor = _decode(record.body).actor
    except msgspec.MsgspecError:
        return
    if isinstance(actor, dict):
        yield actor
        members = actor.get("member")
        yield from (one for one in (members if isinstance(members, list) else ()) if isinstance(one, dict))
