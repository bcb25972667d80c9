"""Whatever files come, in whatever order, and wherever runs die: what stands is what the last whole run said."""

from __future__ import annotations

import secrets
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adapters.ledger.pipeline
from tests.adapters.conftest import Killed, dying

HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
TITLE = "https://w3id.org/engraft/extensions/evidence-title"

FILES = st.dictionaries(st.integers(1, 4), st.sampled_from(["a", "b", None]), min_size=1, max_size=4)
RUNS = st.lists(st.tuples(FILES, st.one_of(st.none(), st.integers(1, 5)), st.booleans()), max_size=6)


def text(file: dict[int, str | None]) -> str:
    """One evidence row each; ``None`` is evidence that was rejected."""
    rows = (
        f"P-{n},ST1406,1.0,E-{n},K1,2025-11-03,{'accepted' if title else 'rejected'},{title or 'x'}\n"
        for n, title in file.items()
    )
    return HEADER + "".join(rows)


@given(runs=RUNS, last=FILES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_what_was_last_said_of_each_row(bring, endpoint, monkeypatch, runs, last):
    monkeypatch.setattr(adapters.ledger.pipeline, "CHUNK", 1)
    own = secrets.token_hex(4)  # each example has a provider of its own in the one store
    for file, dies_before, goes_on in runs:
        job = secrets.token_hex(8)
        with suppress(Killed), dying(endpoint.tenant, dies_before or 0):
            bring("eportfolio", text(file), provider=own, job=job)
        if goes_on:
            bring("eportfolio", text(file), provider=own, job=job)
    whole = dict.fromkeys(range(1, 5), "c") | last

    report = bring("eportfolio", text(whole), provider=own)

    valid = [one for one in endpoint.valid() if own in one["actor"]["account"]["homePage"]]
    standing = {one["actor"]["account"]["name"]: one["context"]["extensions"][TITLE] for one in valid}
    assert standing == {f"P-{n}": title for n, title in whole.items() if title}
    assert len(valid) == len(standing)
    assert report.counts["error"] == report.counts["quarantined"] == 0
    again = bring("eportfolio", text(whole), provider=own)
    assert again.counts["new"] == again.counts["updated"] == 0
