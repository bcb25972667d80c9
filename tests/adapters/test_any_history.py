"""Whatever files come, in whatever order, and wherever runs die: what stands is what the last whole run said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.door import Changed, Closed
from adapters.ledger import LEASE

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
NOON = 1_795_262_400_000_000
TITLE = "https://w3id.org/engraft/extensions/evidence-title"

FILES = st.dictionaries(st.integers(1, 4), st.sampled_from(["a", "b", None]), min_size=1, max_size=4)
RUNS = st.lists(st.tuples(FILES, st.one_of(st.none(), st.integers(1, 14)), st.booleans()), max_size=6)


def text(file: dict[int, str | None]) -> str:
    """One evidence row each; ``None`` is evidence that was rejected."""
    rows = (
        f"P-{n},ST1406,1.0,E-{n},K1,2025-11-03,{'accepted' if title else 'rejected'},{title or 'x'}\n"
        for n, title in file.items()
    )
    return HEADER + "".join(rows)


def cutting(after: int) -> Callable[[str], None]:
    left = [after]

    def cut(_: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionAbortedError

    return cut


@given(runs=RUNS, last=FILES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_what_was_last_said_of_each_row(bring, endpoint, runs, last):
    endpoint.statements, endpoint.documents, endpoint.voided = {}, {}, set()
    for number, (file, dies_after, before_storing) in enumerate(runs):
        if dies_after is not None:
            setattr(endpoint, "before" if before_storing else "after", cutting(dies_after))
        with suppress(Closed, Changed):
            bring("eportfolio", text(file), clock=lambda at=number: NOON + at * 2 * LEASE)
        endpoint.before = endpoint.after = lambda _: None
    whole = dict.fromkeys(range(1, 5), "c") | last

    report = bring("eportfolio", text(whole), clock=lambda: NOON + 20 * LEASE)

    standing = {one["actor"]["account"]["name"]: one["context"]["extensions"][TITLE] for one in endpoint.valid()}
    assert standing == {f"P-{n}": title for n, title in whole.items() if title}
    assert len(endpoint.valid()) == len(standing)
    assert report.counts["error"] == report.counts["quarantined"] == 0
    again = bring("eportfolio", text(whole), clock=lambda: NOON + 22 * LEASE)
    assert again.counts["new"] == again.counts["updated"] == 0
