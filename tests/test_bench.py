"""``make bench``: that it measures everything and believes nothing that failed. Speed is not judged here."""

import json
import re
import socket
import threading

import pytest

from tests.bench.__main__ import SMALL, main
from tests.bench.large import Size, large
from tests.bench.load import Load, run
from tests.bench.peers import ROWS, Peer
from tests.bench.peers import main as measure_peers
from tests.bench.peers import table as peers_table
from tests.bench.receiver import Told
from tests.bench.report import Row, in_order, keep, row_of
from tests.bench.rows import Bench, faults, post_batch, post_single, query, written_bytes
from tests.bench.server import create_key, doing_nothing, serving
from tests.bench.statements import statements
from tests.bench.work import beside_of
from tests.bench.yardsticks import RawSqlite


def test_rows_measured_on_a_small_store_have_a_ratio_and_no_fault_and_are_kept(tmp_path):
    headers = create_key(tmp_path / "store")
    raw = RawSqlite(tmp_path / "raw.db")
    with doing_nothing(tmp_path) as nothing, serving(tmp_path / "store", headers, {}) as server:
        bench = Bench(SMALL, server, nothing, raw, list(statements(SMALL.stored)))
        rows = in_order([measured(bench) for measured in (post_single, post_batch, written_bytes, query)])
    raw.close()

    keep(tmp_path / "result.json", rows)

    kept = json.loads((tmp_path / "result.json").read_text())
    assert [(row["name"], row["invalid"]) for row in kept] == [
        ("post-single-c16", ""),
        ("post-batch-c4", ""),
        ("written-bytes", ""),
        ("query-50k", ""),
    ]
    assert [row["name"] for row in kept if not (row["value"] > 0 and row["yardstick"] > 0 and row["ratio"] > 0)] == []


@pytest.mark.soak
@pytest.mark.timeout(400)  # measured 23 s of CPU; it starts three servers
def test_a_small_run_writes_every_row_with_its_ratio_and_no_fault(tmp_path):
    out = tmp_path / "result.json"

    status = main(["--small", "--out", str(out), "--dir", str(tmp_path)])

    rows = {row["name"]: row for row in json.loads(out.read_text())}
    assert {name: row["invalid"] for name, row in rows.items() if row["invalid"]} == {}
    assert status == 0
    assert list(rows) == [
        "post-single-c16",
        "post-batch-c4",
        "written-bytes",
        "query-50k",
        "by-id-c16",
        "memory",
        "read-under-write",
        "chained-1000",
        "widest",
        "writer-held",
        "loop-stall",
        "evaluated",
        "learners-10k",
        "rules-200",
        "badge-issued",
        "badge-verified",
        "learner-page",
        "launch",
        "content-c16",
        "receipt-one",
        "receipt-p95",
        "awards-500",
        "post-single-c16-with-rules",
        "post-batch-c4-with-rules",
        "query-50k-with-rules",
        "by-id-c16-with-rules",
        "read-under-write-with-rules",
    ]
    assert [
        name for name, row in rows.items() if not (row["value"] > 0 and row["yardstick"] > 0 and row["ratio"] > 0)
    ] == []
    assert (rows["post-single-c16"]["unit"], rows["post-single-c16"]["min"]) == ("statements/s", 0.2)
    assert rows["query-50k-with-rules"]["min"] == rows["query-50k"]["min"] == 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.soak
def test_a_small_run_of_the_large_rows_asks_every_filter_of_both_stores_and_of_the_pages(tmp_path):
    row, pages = large(tmp_path, Size(few=100, many=300, pages=10, turns=1, requests=2))

    assert (row.name, row.invalid) == ("filters-2m", "")
    assert row.ratio > 0
    assert row.note.count("(") == 15
    assert "page 10 by more" in row.note
    assert (pages.name, pages.invalid) == ("arrivals-2m", "")
    assert pages.ratio > 0
    assert {"source+verb", "person", "activity", "time", "refused only"} <= set(
        re.findall(r"[a-z][a-z+ ]+(?= \d)", pages.note)
    )


def test_a_level_came_with_the_first_profile_that_shows_it_even_if_the_consent_that_names_the_learner_came_later():
    told = Told()
    empty, level, badge = (
        {"type": "profile.updated", "data": {"subject": "s1", "competencies": held, "badges": badges}}
        for held, badges in (([], []), (["A1"], []), (["A1"], ["Gowning"]))
    )

    for at, event in ((1.0, empty), (2.0, level), (4.0, badge), (5.0, level)):
        told.take(at, event)
    told.take(6.0, {"type": "consent.given", "data": {"subject": "s1", "reference": "7"}})
    told.take(7.0, badge)

    assert (told.levels, told.badges, told.events) == ({"7": 2.0}, {"7": 4.0}, 6)


def test_statements_are_about_a_kilobyte_distinct_and_the_same_in_every_run():
    made = list(statements(2_000))

    assert min(len(one.raw) for one in made) >= 990
    assert max(len(one.raw) for one in made) <= 1_100
    assert len({one.id for one in made}) == 2_000
    assert [one.raw for one in made] == [one.raw for one in statements(2_000)]


def test_an_answer_in_pieces_is_one_answer_and_a_refusal_is_counted():
    answers = [
        b"HTTP/1.1 200 OK\r\nconte",
        b"nt-length: 5\r\n\r\nhe",
        b"llo",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
    ]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, answers))
        thread.start()
        load = run(listener.getsockname()[1], [b"one", b"two", b"never answered"], 1)
        thread.join()

    assert dict(load.statuses) == {b"200": 1, b"503": 1}
    assert (len(load.times), load.size, load.lost, load.errors) == (2, 5, 1, 2)
    assert load.wrong.startswith(b"HTTP/1.1 503 Busy")


def _answer(listener, answers):
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for answer in answers:
            if answer.startswith(b"HTTP"):
                connection.recv(100)
            connection.sendall(answer)
        connection.recv(100)


def test_a_load_with_refusals_or_without_answers_is_at_fault():
    refused = Load(times=[0.1, 0.1])
    refused.statuses.update([b"204", b"401"])

    assert "401: 1" in faults([refused])
    assert faults([Load()]) != ""


def test_ratios_are_medians_over_the_rounds_and_turn_round_where_less_is_better():
    row = row_of("post-batch-c4", [(1.0, 10.0), (3.0, 10.0), (8.0, 10.0)], note="")
    less = row_of("memory", [(110.0, 220.0)], note="x", less=True)

    assert (row.value, row.yardstick, row.ratio) == (3.0, 10.0, 0.3)
    assert (less.ratio, less.note) == (2.0, "x")
    assert [Row("memory", 1, 1, ratio).verdict for ratio in (0.9, 1.2, 1.6)] == ["BELOW", "ok", "aim"]
    assert Row("memory", 1, 1, 9.0, invalid="no answers").verdict == "INVALID"


STARVED = "the load got to send no more: the machine is busy with other things"


@pytest.mark.parametrize(
    ("answered", "sent", "told", "invalid"),
    [
        (500, 500, "50 learners/s beside", ""),
        (240, 500, "24 learners/s beside", ""),
        (239, 500, "24 learners/s beside", "too little of what came in beside was answered"),
        (200, 239, f"20 learners/s beside, for {STARVED}", ""),
    ],
)
def test_a_row_is_not_to_be_believed_where_the_server_answers_too_little_and_not_where_the_load_got_no_time(
    answered, sent, told, invalid
):
    assert beside_of(answered, sent, 10.0) == (told, invalid)


def test_peers_are_compared_by_medians_and_what_one_cannot_answer_is_left_open():
    ours = Peer("Engraft", 1, "/xapi/statements", b"")
    other = Peer("Other", 2, "/xapi/statements", b"", ROWS[:2], wrong="answers 500: 3, 0 without answer")
    ours.rates = {row: [1_000.0, 3_000.0, 2_000.0] for row in ROWS}
    other.rates = {row: [400.0, 500.0, 600.0] for row in ROWS[:2]}

    heading, first, second, ratios, wrong = peers_table([ours, other]).splitlines()

    assert heading.split() == ["single", "c16", "batch", "c4", "query", "c1", "by", "id", "c16"]
    assert first.split("  ")[0] == "Engraft"
    assert first.count("2,000 (1,000 to 3,000)") == 4
    assert second.split()[1:] == ["500", "(400", "to", "600)"] * 2 + ["-", "-"]
    assert ratios.split()[3:] == ["4.0", "4.0", "-", "-"]
    assert wrong == "  INVALID: answers 500: 3, 0 without answer"


def test_a_peer_that_is_not_where_it_was_said_to_be_is_named_and_nothing_is_started(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        measure_peers(["--sql-lrs", str(tmp_path)])

    assert ended.value.code == 2
    assert f"{tmp_path}/lrsql.jar is not there" in capsys.readouterr().err
