"""Whether the record of actions is intact, as tests ask it."""

from lrs.storage import Store
from lrs.tenancy.audit import Broken, walk


def broken_at(store: Store) -> int | None:
    """The number of the first entry that is missing or was changed; ``None`` if the chain is intact."""
    try:
        for _ in walk(store):
            pass
    except Broken as broken:
        return broken.number
    return None
