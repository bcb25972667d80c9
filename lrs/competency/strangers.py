"""Finds evidence that counts for a name for nobody, so that several strangers became one person.

Such evidence was stored before the name was known as one. It goes when the source's statements are read again (``lrs
persons nobody``). Knows no command.
"""

from __future__ import annotations

from collections import Counter

from lrs.competency.evidence import evidence_from
from lrs.kernel.keys import key
from lrs.people.identifiers import NOBODY, matches_nobody
from lrs.people.nobody import own_lists
from lrs.people.persons import identifier_from
from lrs.storage import Reader, each


def counted_for_nobody(reader: Reader) -> Counter[str]:
    """How many such pieces of evidence there are, by source. Reads every identifier.

    Sources with a list of their own are left out: their statements were read again with the list.
    """
    own = own_lists(reader)
    counts: Counter[str] = Counter()
    for record in each(reader, "identifier"):
        if matches_nobody(identifier_from(record), NOBODY):
            evidence = map(evidence_from, each(reader, "evidence", key("ev-person-identifier", record.id)))
            counts.update(one.source for one in evidence if one.reason is None and one.source not in own)
    return counts
