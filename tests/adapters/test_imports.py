"""Against the real server, by HTTP: the command line from another machine, and ``POST /api/imports``."""

from __future__ import annotations

import csv
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import Request

from adapters.commands import adapter
from adapters.door import basic
from adapters.routes import routes
from lrs.app import create_app
from lrs.auth import Caller
from lrs.auth.basic import Door
from lrs.auth.keys import NewKey, create_key
from lrs.settings import Settings

GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
GOOD = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted,Log\n"
BAD = "P-2,ST1406,1.0,E-2,K1,2025-13-03,accepted,=cmd|' /C calc'!A0\n"
SCOPES = ("import", "statements/write", "profile")
VERSION = {"X-Experience-API-Version": "1.0.3"}


class Server:
    """The product on a free port, with a key for each provider."""

    def __init__(self, url: str, keys: dict[str, NewKey]) -> None:
        self.url = url
        self.keys = keys

    def auth(self, name: str) -> tuple[str, str]:
        return self.keys[name].key, self.keys[name].secret

    def statements(self) -> list[dict]:
        answer = httpx.get(f"{self.url}/xapi/statements?limit=1000", auth=self.auth("reader"), headers=VERSION)
        return answer.json()["statements"]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data"), worker=False))
    tenants, door = app.state.tenants, Door()

    def caller_of(request: Request) -> Caller:
        return door.caller(tenants.get("default"), request.headers.get("authorization"), "test")

    app.include_router(routes(caller_of))
    scopes = {
        "north": SCOPES,
        "south": SCOPES,
        "college": SCOPES,
        "slow": SCOPES,
        "writer": ("statements/write", "import"),
        "plain": ("statements/write",),
    }
    keys = {name: create_key(tenants.get("default"), name, listed) for name, listed in scopes.items()}
    keys["operator"] = create_key(tenants.get("default"), "operator", ["all"])
    keys["reader"] = create_key(tenants.get("default"), "reader", ["all/read"])
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield Server(f"http://127.0.0.1:{listening.getsockname()[1]}", keys)
    running.should_exit = True
    thread.join()
    listening.close()


def post(server: Server, who: str, content: bytes, adapter: str = "eportfolio", **more) -> httpx.Response:
    query = {"adapter": adapter, **more.pop("query", {})}
    return httpx.post(
        f"{server.url}/api/imports", params=query, content=content, auth=server.auth(who), timeout=60, **more
    )


def table(answer: httpx.Response, delimiter: str = ",", encoding: str = "utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode(encoding)), delimiter=delimiter))


def run(server: Server, *arguments: str, who: str = "north") -> tuple[int, str]:
    key, secret = server.auth(who)
    shell = {"LRS_ENDPOINT": f"{server.url}/xapi", "LRS_KEY": key, "LRS_SECRET": secret}
    result = CliRunner().invoke(adapter, ["run", *arguments], env=shell)
    return result.exit_code, result.output


def test_a_file_goes_in_and_comes_back_with_what_became_of_each_row(server):
    before = len(server.statements())

    answer = post(server, "north", (HEADER + GOOD + BAD).encode())

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, first, second = table(answer)
    assert header == [*HEADER.strip().split(","), "outcome", "reason"]
    assert first[-2:] == ["new", ""]
    assert second[-3:] == [
        "'=cmd|' /C calc'!A0",
        "quarantined",
        "evidence_date: there is no such date",
    ]
    assert len(server.statements()) == before + 1


def test_what_came_back_repaired_goes_in_again_without_doubling(server):
    sent = HEADER.replace("E-", "R-") + GOOD.replace("E-1", "R-1") + BAD.replace("E-2", "R-2")
    returned = post(server, "north", sent.encode()).content

    answer = post(
        server, "north", returned.replace(b"2025-13-03", b"2025-12-03").replace(b"'=cmd|' /C calc'!A0", b"Log")
    )

    assert [row[-2:] for row in table(answer)] == [["outcome", "reason"], ["unchanged", ""], ["new", ""]]


def test_windows_1252_with_semicolons_comes_back_as_it_was_sent(server):
    answer = httpx.post(
        f"{server.url}/api/imports?adapter=eportfolio",
        files={
            "file": ("north.csv", (GOLDEN / "portfolio.csv").read_bytes()),
            "profile": ("profile.json", (GOLDEN / "portfolio-profile.json").read_bytes()),
        },
        auth=server.auth("college"),
        timeout=60,
    )

    rows = table(answer, ";", "windows-1252")
    assert answer.headers["content-type"] == "text/csv; charset=windows-1252"
    assert rows[1][12] == "Cleanroom log \u2013 café"
    assert [row[-2] for row in rows] == ["outcome", "new", "skipped", "new", "new", "new", "skipped"]


def test_a_workbook_comes_back_as_a_workbook_without_formulas(server, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["learner_ref", "standard_ref", "start_date", "note"])
    book.active.append(["W-1", "ST1406", "2025-09-01", "=1+1"])
    book.active.append(["=A2", "ST1406", "2025-09-01", "-5"])
    book.save(tmp_path / "in.xlsx")

    answer = post(server, "north", (tmp_path / "in.xlsx").read_bytes())

    assert answer.status_code == 200, answer.text
    (tmp_path / "out.xlsx").write_bytes(answer.content)
    rows = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True))
    assert rows == [
        ("learner_ref", "standard_ref", "start_date", "note", "outcome", "reason"),
        ("W-1", "ST1406", "2025-09-01", "'=1+1", "new", None),
        (
            "'=A2",
            "ST1406",
            "2025-09-01",
            "'-5",
            "quarantined",
            "learner_ref: the cell holds a formula, not a value",
        ),
    ]


def test_a_dry_run_as_json_changes_nothing(server):
    before = len(server.statements())

    answer = post(
        server,
        "south",
        (HEADER + GOOD).encode(),
        query={"dry_run": "true"},
        headers={"Accept": "application/json"},
    )

    assert answer.json()["counts"] == {
        "new": 1,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "quarantined": 0,
        "error": 0,
    }
    assert answer.json()["dryRun"] is True
    assert answer.json()["provider"] == "south"
    assert len(server.statements()) == before


@pytest.mark.parametrize(
    ("who", "content", "query", "status", "error"),
    [
        ("plain", b"a\n1\n", {}, 403, "forbidden"),
        ("writer", b"a\n1\n", {}, 403, "import_failed"),
        ("north", b"", {}, 400, "empty_file"),
        ("north", b"PK\x03\x04nonsense", {}, 400, "bad_workbook"),
        ("north", b"a\n1\n", {"adapter": "nothing"}, 400, "bad_request"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(server, who, content, query, status, error):
    answer = post(server, who, content, query=query)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_without_a_key_there_is_no_import(server):
    assert httpx.post(f"{server.url}/api/imports?adapter=eportfolio", content=b"a\n1\n").status_code == 401


@pytest.mark.parametrize(
    ("who", "query", "status"),
    [
        (None, "adapter=eportfolio", 401),
        ("plain", "adapter=eportfolio", 403),
        ("north", "adapter=nothing", 400),
        ("north", "adapter=eportfolio&dry_run=perhaps", 400),
        ("north", "", 400),
    ],
)
def test_what_will_not_be_imported_is_refused_before_a_byte_of_the_file_is_read(server, who, query, status):
    credential = f"Authorization: {basic(*server.auth(who))}\r\n" if who else ""
    head = (
        f"POST /api/imports?{query} HTTP/1.1\r\nHost: lrs.example\r\n"
        f"{credential}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    )
    url = httpx.URL(server.url)

    with socket.create_connection((url.host, url.port), timeout=60) as connection, connection.makefile("rb") as answer:
        connection.sendall(head.encode())
        line = answer.readline()

    assert line.startswith(f"HTTP/1.1 {status} ".encode())  # who is read from is told 100 first


def test_the_command_line_from_another_machine_shares_the_ledger_of_the_key(server, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "C-1"))
    post(server, "south", path.read_bytes())

    code, text = run(server, "eportfolio", str(path), "--json", who="south")

    assert code == 0
    assert json.loads(text)["counts"]["unchanged"] == 1
    assert json.loads(text)["provider"] == "south"


def test_the_command_line_tells_people_what_to_repair(server, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "T-1") + BAD.replace("E-2", "T-2"))

    code, text = run(server, "eportfolio", str(path), "--dry-run")

    assert code == 0
    assert text == (
        "mine.csv: 1 new, 1 quarantined (dry run: nothing was written)\n"
        "  row 3: quarantined impossible_date: evidence_date (9999-99-99): there is no such date\n"
        "Repair these rows and run the file again: what is in already will not change.\n"
    )


LEDGER = "https://w3id.org/engraft/ledgers/eportfolio/north"


def ledger(server: Server, who: str, method: str, document: str | None = "page-0", **more) -> httpx.Response:
    """A request for what the imports of the provider north are remembered by."""
    query = {"activityId": LEDGER} | ({"profileId": document} if document else {})
    headers = VERSION | more.pop("headers", {})
    url = f"{server.url}/xapi/activities/profile"
    return httpx.request(method, url, params=query, auth=server.auth(who), headers=headers, **more)


@pytest.fixture(scope="module")
def remembered(server: Server) -> Server:
    """The server after an import of the provider north."""
    assert post(server, "north", (HEADER + GOOD.replace("E-1", "L-1")).encode()).status_code == 200
    return server


@pytest.mark.parametrize("document", ["page-0", "page-9", None])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_a_providers_key_reaches_no_other_providers_ledger_there_or_not(remembered, method, document):
    server = remembered
    before = ledger(server, "north", "GET").content
    body = {"content": b"{}", "headers": {"Content-Type": "application/json"}} if method in {"PUT", "POST"} else {}

    answer = ledger(server, "south", method, document, **body)

    assert answer.status_code == (400 if document is None and method in {"PUT", "POST", "DELETE"} else 403)
    assert ledger(server, "north", "GET").content == before
    assert before.startswith(b'{"rows":{"')


def test_all_reads_and_writes_every_ledger_and_all_read_reads_it(remembered):
    server = remembered
    content = {"content": b"{}", "headers": {"Content-Type": "application/json"}}

    assert ledger(server, "reader", "GET").status_code == 200
    assert ledger(server, "reader", "POST", "note", **content).status_code == 403
    assert ledger(server, "operator", "POST", "note", **content).status_code == 204


def test_the_command_line_does_not_work_for_a_provider_that_the_key_is_not_for(server, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "O-1"))

    code, text = run(server, "eportfolio", str(path), "--provider", "north", who="south")
    by_operator, _ = run(server, "eportfolio", str(path), "--provider", "north", who="operator")

    assert code == 1
    assert "this ledger is another provider's: use a key that was made for the provider" in text
    assert by_operator == 0


def test_a_correction_through_the_real_store_voids_and_links(server, tmp_path):
    path = tmp_path / "centre.csv"
    path.write_bytes((GOLDEN / "centre.csv").read_bytes())
    assert run(server, "training-centre", str(path))[0] == 0
    path.write_text(path.read_text().replace("L-003,,Cy,Dunn,absent", "L-003,,Cy,Dunn,present"))

    code, text = run(server, "training-centre", str(path), "--json")

    (row,) = [row for row in json.loads(text)["rows"] if row["outcome"] == "updated"]
    found = httpx.get(
        f"{server.url}/xapi/statements?statementId={row['statements'][0]}", auth=server.auth("reader"), headers=VERSION
    ).json()
    old = found["context"]["statement"]["id"]
    voided = httpx.get(
        f"{server.url}/xapi/statements?voidedStatementId={old}", auth=server.auth("reader"), headers=VERSION
    )
    assert code == 0
    assert found["result"]["completion"] is True
    assert voided.json()["result"]["completion"] is False


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ({}, "which store? give --endpoint URL or set LRS_ENDPOINT"),
        ({"LRS_ENDPOINT": "http://127.0.0.1:9/xapi"}, "which key? give --key and --secret"),
        ({"LRS_ENDPOINT": "ftp://x", "LRS_KEY": "k", "LRS_SECRET": "s"}, "no endpoint"),
    ],
)
def test_the_command_line_says_what_it_needs(tmp_path, shell, words):
    (tmp_path / "file.csv").write_text("a\n1\n")

    result = CliRunner().invoke(adapter, ["run", "eportfolio", str(tmp_path / "file.csv")], env=shell)

    assert result.exit_code == 1
    assert words in result.output


def test_a_wrong_secret_is_said_at_once(server, tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    shell = {"LRS_ENDPOINT": f"{server.url}/xapi", "LRS_KEY": "nobody", "LRS_SECRET": "wrong"}

    result = CliRunner().invoke(adapter, ["run", "eportfolio", str(tmp_path / "file.csv")], env=shell)

    assert result.exit_code == 1
    assert "the key or its secret is wrong (401)" in result.output


def test_while_a_provider_has_an_import_running_the_next_is_told_to_wait(server, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + "".join(GOOD.replace("E-1", f"B-{n}") for n in range(300)))
    answers = []
    running = threading.Thread(target=lambda: answers.append(post(server, "slow", path.read_bytes())))
    running.start()
    while running.is_alive():
        answers.append(post(server, "slow", path.read_bytes()))
    running.join()

    refused = [answer for answer in answers if answer.status_code != 200]
    done = [table(answer) for answer in answers if answer.status_code == 200]
    assert {answer.json()["error"] for answer in refused} <= {"import_running"}
    assert sum(row[-2] == "new" for rows in done for row in rows) == 300
