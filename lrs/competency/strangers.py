"""Evidence that counts for a name for nobody, from before the name was known as one: strangers who became one person.

It goes once its source's statements are read again (``lrs persons nobody``). Knows no command.
"""

from __future__ import annotations

from collections import Counter

from lrs.competency.evidence import evidence_from
from lrs.kernel.keys import key
from lrs.people.identifiers import NOBODY, matches_nobody
from lrs.people.nobody import own_lists
from lrs.people.persons import identifier_from
from lrs.storage import Reader, pages


def counted_for_nobody(reader: Reader) -> Counter[str]:
    """How many pieces of evidence, by source: not of those with a list of their own, which were read again with it.

    Reads every identifier.
    """
    own = own_lists(reader)
    counts: Counter[str] = Counter()
    for record in pages(reader, "identifier"):
        if matches_nobody(identifier_from(record), NOBODY):
            evidence = map(evidence_from, pages(reader, "evidence", key("ev-person-identifier", record.id)))
            counts.update(one.source for one in evidence if one.reason is None and one.source not in own)
    return counts
