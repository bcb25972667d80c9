"""Against the real server, by HTTP: the command line from another machine, and ``POST /api/imports``."""

from __future__ import annotations

import base64
import csv
import http.client
import io
import json
import socket
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import openpyxl
import pytest
import uvicorn
from click.testing import CliRunner, Result

from adapters.imports import receiving
from adapters.imports.receiving import profile_of
from adapters.reading.profile import MappingProfile
from lrs.access.keys import NewKey, create_key, list_keys
from lrs.app import READERS, create_app
from lrs.kernel.admission import Admission
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.ops.import_commands import adapter
from lrs.serving.server import first_key
from lrs.storage import each
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import Tenant
from tests.adapters.apprenticeship.returns import SECRETS, learner, made, uln
from tests.adapters.conftest import importing, put_document
from tests.builders import store_in
from tests.kept import bytes_below
from tests.programs import until
from tests.rows import each_of
from tests.served import serving

GOLDEN = Path(__file__).parents[2] / "golden" / "adapters"


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


HEADER = "learner_ref,standard_ref,standard_version,evidence_id,ksb_code,evidence_date,evidence_status,evidence_title\n"
GOOD = "P-1,ST1406,1.0,E-1,K1,2025-11-03,accepted,Log\n"
BAD = "P-2,ST1406,1.0,E-2,K1,2025-13-33,accepted,=cmd|' /C calc'!A0\n"
FORMULA = "the cell holds a formula, not a value: paste its value over it"
WHY = f"evidence_date: there is no such date; evidence_title: {FORMULA}"
SCOPES = ("import", "statements/write", "profile")
ALONE = ("import",)
VERSION = {"X-Experience-API-Version": "1.0.3"}


class Server:
    """The product on a free port, with a key for each provider."""

    def __init__(self, url: str, keys: dict[str, NewKey], tenant: Tenant, admission: Admission) -> None:
        self.url = url
        self.admission = admission
        self.keys = keys
        self.tenant = tenant

    def auth(self, name: str) -> tuple[str, str]:
        return self.keys[name].key, self.keys[name].secret

    def stored(self, provider: str) -> int:
        """How many statements are there that the files of *provider* came to."""
        found = each(self.tenant.store, "statement")
        return sum(json.loads(record.body)["authority"]["name"] == provider for record in found)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data"), worker=False))
    tenants = app.tenants
    scopes = {
        "north": SCOPES,
        "north west": SCOPES,
        "south": SCOPES,
        "quay": ALONE,
        "slow": SCOPES,
        "harbour": ALONE,
        "plain": ("statements/write",),
    }
    tenant = tenants.take("default")
    keys = {name: create_key(tenant, name, listed) for name, listed in scopes.items()}
    keys["operator"] = create_key(tenant, "operator", ["all", "import"])
    keys["reader"] = create_key(tenant, "reader", ["all/read"])
    keys["auditor"] = create_key(tenant, "auditor", ["all/read", "import"])
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    with importing(tenants):
        yield Server(f"http://127.0.0.1:{listening.getsockname()[1]}", keys, tenant, app.admission)
    running.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def own(server: Server) -> str:
    """A provider of whom nobody else sends a file: of the same one, a row that another test sent would not be new."""
    name = f"provider {len(server.keys)}"
    server.keys[name] = create_key(server.tenant, name, SCOPES)
    return name


def post(server: Server, who: str, content: bytes, adapter: str = "eportfolio", **more) -> httpx.Response:
    query = {"adapter": adapter, "wait": 60, **more.pop("query", {})}
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


def test_a_file_goes_in_and_comes_back_with_what_became_of_each_row(server, own):
    answer = post(server, own, (HEADER + GOOD + BAD).encode())

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, first, second = table(answer)
    assert header == [*HEADER.strip().split(","), "outcome", "reason"]
    assert first[-2:] == ["new", ""]
    assert second[-3:] == [
        "'=cmd|' /C calc'!A0",
        "quarantined",
        WHY,
    ]
    assert server.stored(own) == 1


def test_rows_that_an_open_quotation_mark_swallowed_come_back_with_the_row_that_has_it(server):
    swallowed = 'P-7,"ST1406\n' + GOOD

    answer = post(server, "north", (HEADER + swallowed).encode())

    _, only = table(answer)
    assert only[:2] == ["P-7", "ST1406\n" + GOOD]
    assert only[-2:] == [
        "error",
        "a quotation mark is never closed: the rows below it have become part of this one",
    ]


def test_what_came_back_repaired_goes_in_again_without_doubling(server, own):
    sent = HEADER.replace("E-", "R-") + GOOD.replace("E-1", "R-1") + BAD.replace("E-2", "R-2")
    returned = post(server, own, sent.encode()).content

    answer = post(server, own, returned.replace(b"2025-13-33", b"2025-12-03").replace(b"'=cmd|' /C calc'!A0", b"Log"))

    assert [row[-2:] for row in table(answer)] == [["outcome", "reason"], ["unchanged", ""], ["new", ""]]


@pytest.mark.parametrize("encoding", ["utf-8\r\n", "utf-8中", "UTF_8"])
def test_an_encoding_written_in_an_odd_way_is_told_in_a_way_a_header_can_hold(server, encoding):
    files = {"file": ("file.csv", (HEADER + GOOD).encode()), "profile": json.dumps({"encoding": encoding}).encode()}

    answer = httpx.post(
        f"{server.url}/api/imports?wait=60&adapter=eportfolio&dry_run=true",
        files=files,
        auth=server.auth("north"),
        timeout=60,
    )

    assert (answer.status_code, answer.headers["content-type"].lower()) in {
        (200, "text/csv; charset=utf-8"),
        (200, "text/csv; charset=utf_8"),
    }


def test_windows_1252_with_semicolons_comes_back_as_it_was_sent(server, own):
    answer = httpx.post(
        f"{server.url}/api/imports?wait=60&adapter=eportfolio",
        files={
            "file": ("north.csv", (GOLDEN / "portfolio.csv").read_bytes()),
            "profile": ("profile.json", (GOLDEN / "portfolio-profile.json").read_bytes()),
        },
        auth=server.auth(own),
        timeout=60,
    )

    rows = table(answer, ";", "windows-1252")
    assert answer.headers["content-type"] == "text/csv; charset=windows-1252"
    assert rows[1][12] == "Cleanroom log \u2013 café"
    assert [row[-2] for row in rows] == ["outcome", "new", "skipped", "new", "new", "new", "skipped"]


def test_a_workbook_comes_back_as_a_workbook_without_formulas(server, own, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["learner_ref", "standard_ref", "start_date", "note"])
    book.active.append(["W-1", "ST1406", "2025-09-01", "=1+1"])
    book.active.append(["=A2", "ST1406", "2025-09-01", "-5"])
    book.save(tmp_path / "in.xlsx")

    answer = post(server, own, (tmp_path / "in.xlsx").read_bytes())

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
            "learner_ref: the cell holds a formula that was saved without its value: type the value instead",
        ),
    ]


def test_a_dry_run_as_json_changes_nothing(server, own):
    answer = post(
        server,
        own,
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
    assert answer.json()["provider"] == own
    assert server.stored(own) == 0


@pytest.mark.parametrize(
    ("who", "content", "query", "status", "error"),
    [
        ("plain", b"a\n1\n", {}, 403, "forbidden"),
        ("north", b"a\n1\n", {}, 400, "no_header"),
        ("north", HEADER.encode(), {}, 400, "no_rows"),
        ("north", b"", {}, 400, "empty_file"),
        ("north", b"PK\x03\x04nonsense", {}, 400, "bad_workbook"),
        ("north", b"a\n1\n", {"adapter": "nothing"}, 400, "bad_request"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(server, who, content, query, status, error):
    answer = post(server, who, content, query=query)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_key_that_brings_its_own_files_in_can_do_nothing_else(server):
    """The README and the table of rights said that it may, and the import itself asked for two more scopes."""
    auth = server.auth("quay")
    done = post(server, "quay", (HEADER + GOOD).encode(), headers={"Accept": "application/json"})
    listed = httpx.get(f"{server.url}/api/imports", auth=auth).json()["imports"]
    statements = httpx.get(f"{server.url}/xapi/statements", auth=auth, headers=VERSION)
    sent = httpx.post(f"{server.url}/xapi/statements", auth=auth, headers=VERSION, json=[])

    assert (done.status_code, done.json()["counts"]["new"]) == (200, 1)
    assert [one["provider"] for one in listed] == ["quay"]
    assert server.stored("quay") == 1
    assert (statements.status_code, sent.status_code) == (403, 403)


def test_without_a_key_there_is_no_import(server):
    assert httpx.post(f"{server.url}/api/imports?wait=60&adapter=eportfolio", content=b"a\n1\n").status_code == 401


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


def test_a_form_of_a_caller_without_the_right_is_refused_before_a_byte_of_it_is_read(server):
    head = (
        "POST /api/imports?adapter=eportfolio HTTP/1.1\r\nHost: lrs.example\r\n"
        f"Authorization: {basic(*server.auth('plain'))}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    )
    url = httpx.URL(server.url)

    with socket.create_connection((url.host, url.port), timeout=60) as connection, connection.makefile("rb") as answer:
        connection.sendall(head.encode())
        line = answer.readline()

    assert line.startswith(b"HTTP/1.1 403 ")


def test_a_mapping_profile_is_read_beside_the_event_loop(server, monkeypatch):
    readers = []

    def noted(text: bytes) -> MappingProfile:
        readers.append(threading.current_thread().name)
        return profile_of(text)

    monkeypatch.setattr(receiving, "profile_of", noted)
    with_profile(server, "north", {"dates": ["%d/%m/%Y"]})

    assert [name.partition("_")[0] for name in readers] == ["read"]


def test_the_command_line_from_another_machine_shares_the_ledger_of_the_key(server, own, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "C-1"))
    post(server, own, path.read_bytes())

    code, text = run(server, "eportfolio", str(path), "--json", who=own)

    assert code == 0
    assert json.loads(text)["counts"]["unchanged"] == 1
    assert json.loads(text)["provider"] == own


def test_the_command_line_tells_people_what_to_repair(server, own, tmp_path, monkeypatch):
    monkeypatch.setattr("lrs.ops.import_commands.QUIET", 3_600)  # a busy machine's wait is not told
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "T-1") + BAD.replace("E-2", "T-2"))

    code, text = run(server, "eportfolio", str(path), "--dry-run", who=own)

    assert code == 0
    assert text == (
        "mine.csv: 1 new, 1 quarantined (dry run: nothing was written)\n"
        "  row 3: quarantined impossible_date: evidence_date (9999-99-99): there is no such date;"
        f" evidence_title (=xxx|' /x xxxx'!x9): {FORMULA}\n"
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
    """The server with what version 0.2 remembered of the provider north."""
    put_document(server.tenant, LEDGER, "page-0", b'{"rows":{},"v":1}')
    return server


@each_of("document", ["page-0", "page-9", None])
@each_of("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_a_providers_key_reaches_no_other_providers_ledger_there_or_not(remembered, method, document):
    server = remembered
    before = ledger(server, "north", "GET").content
    body = {"content": b"{}", "headers": {"Content-Type": "application/json"}} if method in {"PUT", "POST"} else {}

    answer = ledger(server, "south", method, document, **body)

    assert answer.status_code == (400 if document is None and method in {"PUT", "POST", "DELETE"} else 403)
    assert ledger(server, "north", "GET").content == before
    assert before == b'{"rows":{},"v":1}'


@pytest.mark.parametrize("who", ["north", "operator"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_what_a_ledger_of_before_says_can_be_read_and_nobody_changes_it_any_more(remembered, who, method):
    content = {} if method == "DELETE" else {"content": b"{}", "headers": {"Content-Type": "application/json"}}

    changed = ledger(remembered, who, method, "page-0", **content)

    assert (changed.status_code, changed.json()["error"]) == (403, "forbidden")
    assert "the server keeps this ledger itself" in changed.json()["message"]
    assert ledger(remembered, who, "GET", "page-0").content == b'{"rows":{},"v":1}'
    assert ledger(remembered, "reader", "GET", "page-0").status_code == 200


def test_a_provider_whose_name_has_a_blank_brings_its_files_in_with_its_own_key_and_they_are_listed(server):
    wanted = {"Accept": "application/json"}
    answer, again = (post(server, "north west", (HEADER + GOOD).encode(), headers=wanted) for _ in range(2))
    listed = httpx.get(f"{server.url}/api/imports", auth=server.auth("north west"))

    assert (answer.status_code, answer.json()["provider"], answer.json()["counts"]["new"]) == (200, "north west", 1)
    assert (again.status_code, again.json()["counts"]["new"]) == (200, 0)
    assert "north west" in listed.text


def test_a_provider_whose_name_has_an_ampersand_is_refused_before_anything_is_read(bring, endpoint):
    with pytest.raises(Refused, match="letters, digits, blanks") as refused:
        bring("eportfolio", HEADER + GOOD, provider="North & Co")

    assert refused.value.error == "bad_provider"
    assert endpoint.is_empty()


def test_the_command_line_does_not_work_for_a_provider_that_the_key_is_not_for(server, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + GOOD.replace("E-1", "O-1"))

    code, text = run(server, "eportfolio", str(path), "--provider", "north", who="south")
    by_operator, _ = run(server, "eportfolio", str(path), "--provider", "north", who="operator")

    assert code == 1
    assert "this ledger is another provider's: use a key that was made for the provider" in text
    assert by_operator == 0


def test_a_correction_through_the_real_store_voids_and_links(server, own, tmp_path):
    path = tmp_path / "centre.csv"
    path.write_bytes((GOLDEN / "centre.csv").read_bytes())
    assert run(server, "training-centre", str(path), who=own)[0] == 0
    path.write_text(path.read_text().replace("L-003,,Cy,Dunn,absent", "L-003,,Cy,Dunn,present"))

    code, text = run(server, "training-centre", str(path), "--json", who=own)

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
        ({"LRS_KEY": "k", "LRS_SECRET": "s"}, "which store? give --endpoint URL or set LRS_ENDPOINT"),
        ({"LRS_ENDPOINT": "http://127.0.0.1:9/xapi"}, "which key? give --key and --secret"),
        ({"LRS_ENDPOINT": "ftp://x", "LRS_KEY": "k", "LRS_SECRET": "s"}, "no endpoint"),
    ],
)
def test_the_command_line_says_what_it_needs(tmp_path, shell, words):
    (tmp_path / "file.csv").write_text("a\n1\n")

    result = CliRunner().invoke(adapter, ["run", "eportfolio", str(tmp_path / "file.csv")], env=shell)

    assert result.exit_code == 1
    assert words in result.output


def test_a_store_here_and_one_elsewhere_are_not_chosen_between(tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    shell = {"LRS_ENDPOINT": "http://127.0.0.1:9/xapi", "LRS_KEY": "k", "LRS_SECRET": "s"}
    given = ["run", "eportfolio", str(tmp_path / "file.csv"), "--data", str(tmp_path / "data")]

    result = CliRunner().invoke(adapter, given, env=shell)

    assert result.exit_code == 1
    assert "--data is a store on this machine: leave out --endpoint" in result.output


def run_bare(data: Path, *arguments: str) -> Result:
    if not data.exists():
        store_in(data)
    return CliRunner().invoke(adapter, ["run", *arguments], env={"LRS_DATA": str(data)})


def test_without_an_endpoint_a_file_goes_into_the_store_of_this_machine_through_the_same_door(tmp_path):
    data, path = tmp_path / "data", tmp_path / "file.csv"
    path.write_text(HEADER + GOOD + BAD)

    tried = run_bare(data, "eportfolio", str(path), "--dry-run", "--json")
    first = run_bare(data, "eportfolio", str(path))
    again = run_bare(data, "eportfolio", str(path), "--json")
    of_north = run_bare(data, "eportfolio", str(path), "--provider", "north", "--json")

    counts = [json.loads(one.stdout)["counts"] for one in (tried, again, of_north)]
    assert [(one["new"], one["unchanged"], one["quarantined"]) for one in counts] == [(1, 0, 1), (0, 1, 1), (1, 0, 1)]
    assert first.stdout.startswith("file.csv: 1 new, 1 quarantined\n  row 3: ")
    assert "\n  row 3: quarantined impossible_date: " in first.stdout
    assert f"into the store on this machine ({data}), as the provider eportfolio\n" in first.stderr
    with serving(data) as lrs:
        stored = lrs.get().json()["statements"]
        keys = list_keys(lrs.tenant.store)
    assert [one["authority"]["name"] for one in stored] == ["north", "eportfolio"]
    assert [key["name"] for key in keys if key["name"] != "tests"] == []


def test_a_store_that_has_only_seen_files_still_tells_its_first_key(tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    run_bare(tmp_path / "data", "eportfolio", str(tmp_path / "file.csv"))

    with closing(Tenants(Settings(data=tmp_path / "data"))) as tenants:
        said = first_key(tenants, "http://h:1")

    assert "shown this once" in said


def test_a_wrong_secret_is_said_at_once(server, tmp_path):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    shell = {"LRS_ENDPOINT": f"{server.url}/xapi", "LRS_KEY": "nobody", "LRS_SECRET": "wrong"}

    result = CliRunner().invoke(adapter, ["run", "eportfolio", str(tmp_path / "file.csv")], env=shell)

    assert result.exit_code == 1
    assert "the key or its secret is wrong (401)" in result.output


WIDE = "every word that the tutor wrote about the week " * 85


def wide_file(rows: int) -> Iterator[bytes]:
    """4 kB a row: a long note. Every 2,500th has evidence, and the one after it a date that is none."""
    yield HEADER.replace("\n", ",note\n").encode()
    nothing = f"P-1,,,,,,,,{WIDE}\n".encode()
    for start in range(0, rows, 2_500):
        good, bad = GOOD.replace("E-1", f"W-{start}"), BAD.replace("E-2", f"X-{start}")
        yield f"{good.strip()},{WIDE}\n{bad.strip()},{WIDE}\n".encode() + nothing * 2_498


@pytest.mark.parametrize("mb", [20, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1_200)])])
def test_of_a_large_file_every_bad_row_has_its_reason_and_the_rest_goes_in(server, own, tmp_path, mb):
    sent = httpx.post(
        f"{server.url}/api/imports?adapter=eportfolio",
        content=wide_file(250 * mb),
        auth=server.auth(own),
        timeout=110 + mb,
    )
    assert sent.status_code == 202
    job, size = f"{server.url}{sent.headers['location']}", 0
    until(lambda: httpx.get(job, auth=server.auth(own)).json()["state"] == "done", "the import", 60 + 4 * mb)
    with (
        (tmp_path / "returned.csv").open("wb") as made,
        httpx.stream("GET", f"{job}/file", auth=server.auth(own)) as answer,
    ):
        for block in answer.iter_bytes():
            size += made.write(block)

    with (tmp_path / "returned.csv").open(newline="") as file:
        next(rows := csv.reader(file))
        told = [(number, row[-2], row[-1]) for number, row in enumerate(rows) if row[-2] != "skipped"]
    assert (answer.status_code, size > mb * 1_000_000) == (200, True)
    assert told == [
        one for start in range(0, 250 * mb, 2_500) for one in ((start, "new", ""), (start + 1, "quarantined", WHY))
    ]


def test_of_imports_of_one_provider_sent_at_once_each_goes_in_and_nothing_doubles(server, own):
    content = (HEADER + "".join(GOOD.replace("E-1", f"B-{n}") for n in range(300))).encode()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: post(server, own, content), range(2)))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [sum(row[-2] == "new" for row in table(one)) for one in answers] in ([300, 0], [0, 300])
    assert server.stored(own) == 300


def announced(
    server: Server, who: str, *, sent: bytes, size: int = 200_000_000, headers=None
) -> http.client.HTTPConnection:
    """A connection on which a file of *size* bytes is announced, and only *sent* of it has come."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest("POST", "/api/imports?adapter=eportfolio")
    told = headers or {"Content-Length": str(size)}
    for name, value in ({"Authorization": basic(*server.auth(who))} | told).items():
        connection.putheader(name, value)
    connection.endheaders(sent)
    return connection


def test_more_bytes_than_are_received_at_a_time_are_told_to_come_back_and_a_file_that_is_broken_off_makes_room(server):
    running = [announced(server, "slow", sent=b"a,b\n") for _ in range(2)]
    until(lambda: server.admission.files.inside == 400_000_000, "both to be received", 30)

    with closing(announced(server, "slow", sent=b"")) as third:
        told = third.getresponse()
        refused = told.status, json.loads(told.read())["error"], told.headers["retry-after"]
    small = post(server, "slow", (HEADER + GOOD).encode())
    for one in running:
        one.close()
    until(lambda: server.admission.files.inside == 0, "room for further files", 30)

    assert refused == (503, "imports_busy", "30")
    assert small.status_code == 200
    assert server.admission.memory.inside == 0


def test_slow_senders_of_files_keep_no_thread_that_others_read_with(server):
    slow = [announced(server, "slow", sent=b"a,b\n" * 100_000, size=500_000) for _ in range(READERS + 4)]
    until(lambda: server.admission.files.inside == (READERS + 4) * 500_000, "their files to be received", 30)

    after = post(server, "north", (HEADER + GOOD).encode())
    for one in slow:
        one.close()

    assert after.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Transfer-Encoding": "chunked"}, {"Content-Encoding": "gzip", "Content-Length": "1000"}]
)
def test_a_file_that_tells_no_size_or_comes_packed_counts_as_the_largest(server, headers):
    with closing(announced(server, "slow", sent=b"", headers=headers)):
        until(lambda: server.admission.files.inside == 268_435_456, "the file to be received", 30)
    until(lambda: server.admission.files.inside == 0, "room for further files", 30)


def test_a_file_that_is_announced_too_large_is_413_before_it_is_read(server):
    with closing(announced(server, "slow", sent=b"", size=268_435_457)) as one:
        told = one.getresponse()

        assert (told.status, json.loads(told.read())["error"]) == (413, "file_too_large")


def test_without_waiting_the_answer_is_202_with_the_import_which_is_to_be_seen_there(server, own):
    content = (HEADER + GOOD.replace("E-1", "Q-1") + BAD).encode()
    made = post(server, own, content, query={"wait": "0"})
    place = server.url + made.headers["location"]

    def see(path: str = "", who: str = own) -> httpx.Response:
        return httpx.get(place + path, auth=server.auth(who), timeout=60)

    deadline = time.monotonic() + 60
    while (job := see().json())["state"] in {"waiting", "running"} and time.monotonic() < deadline:
        time.sleep(0.05)
    listed = httpx.get(f"{server.url}/api/imports", auth=server.auth(own)).json()
    post(server, "south", content)
    of_south = httpx.get(f"{server.url}/api/imports", auth=server.auth("south")).json()
    newest = httpx.get(f"{server.url}/api/imports?limit=1", auth=server.auth(own)).json()["imports"]

    assert (made.status_code, made.json()["state"], place.rpartition("/")[2]) == (202, "waiting", made.json()["id"])
    assert (job["state"], job["rows"], job["counts"]["new"], job["counts"]["quarantined"]) == ("done", 2, 1, 1)
    assert [row["column"] for row in job["report"]["waiting"]] == ["evidence_date"]
    assert [row[-2] for row in table(see("/file"))] == ["outcome", "new", "quarantined"]
    assert [row["outcome"] for row in see("/report").json()["rows"]] == ["new", "quarantined"]
    assert (listed["provider"], listed["imports"][0]["id"]) == (own, made.json()["id"])
    assert [one["id"] for one in newest] == [made.json()["id"]]  # of its own, though another file came after it
    assert {one["provider"] for one in of_south["imports"]} <= {"south"}
    assert [see(path, "south").status_code for path in ("", "/report", "/file")] == [404, 404, 404]
    assert [see(path, "operator").status_code for path in ("", "/report", "/file")] == [200, 200, 200]

    server.keys["content"] = create_key(server.tenant, own, ["statements/write"])  # it sends for the same source
    of_content = httpx.get(f"{server.url}/api/imports", auth=server.auth("content")).json()
    assert [see(path, "content").status_code for path in ("", "/report", "/file")] == [404, 404, 404]
    assert of_content["imports"] == []


@pytest.mark.parametrize("wait", ["61", "-1", "soon"])
def test_a_wait_of_more_than_a_minute_is_refused(server, wait):
    assert post(server, "north", b"a\n1\n", query={"wait": wait}).status_code == 400


class Unused:
    """In the place of what would work at the job here."""

    def __init__(self, *_: object) -> None:
        """Nothing is done until its turn."""

    def turn(self) -> None:
        raise AssertionError("the worker is there")


def test_beside_a_worker_the_command_line_makes_a_job_and_follows_it(tmp_path, monkeypatch):
    (tmp_path / "file.csv").write_text(HEADER + GOOD)
    monkeypatch.setattr("lrs.ops.import_commands.QUIET", 0)
    monkeypatch.setattr("adapters.imports.here.Work", Unused)

    with serving(tmp_path / "data") as lrs, importing(lrs.app.tenants):
        lrs.app.tenants.control.beat("lrs-1@here")
        told = run_bare(tmp_path / "data", "eportfolio", str(tmp_path / "file.csv"))
        to_programs = run_bare(tmp_path / "data", "eportfolio", str(tmp_path / "file.csv"), "--json")
        stored = lrs.get().json()["statements"]

    assert (told.exit_code, told.stdout) == (0, "file.csv: 1 new\n")
    assert told.stderr.splitlines()[1].startswith("file.csv: ")  # how far it is, since nothing is waited for here
    assert len(to_programs.stderr.splitlines()) == 1
    assert len(stored) == 1


def with_profile(
    server: Server, who: str, profile: dict, *, adapter: str = "eportfolio", dry_run: bool = False
) -> httpx.Response:
    """One good row, sent with a mapping profile."""
    files = {"file": ("file.csv", (HEADER + GOOD).encode()), "profile": ("p.json", json.dumps(profile).encode())}
    url = f"{server.url}/api/imports?wait=60&adapter={adapter}&dry_run={dry_run}"
    return httpx.post(url, files=files, auth=server.auth(who), timeout=60, headers={"Accept": "application/json"})


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"encoding": "hex"}, "'hex' is not a text encoding"),
        ({"dates": ["%d %d"]}, "'%d %d' is no format of a date"),
        ({"constants": {"standart_ref": "ST1406"}}, "constants: there is no column 'standart_ref'; use one of: assess"),
    ],
)
def test_a_profile_that_cannot_be_followed_is_the_senders_fault(server, profile, words):
    answer = with_profile(server, "north", profile)

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_profile")
    assert words in answer.json()["message"]


def test_the_provider_that_a_profile_names_is_the_one_and_only_a_key_for_it_or_for_all_brings_its_file_in(server):
    by_another = with_profile(server, "south", {"provider": "harbour"})
    by_itself = with_profile(server, "harbour", {"provider": "harbour"})
    by_operator = with_profile(server, "operator", {"provider": "harbour"})
    by_reader = with_profile(server, "auditor", {"provider": "harbour"})
    tried = with_profile(server, "auditor", {"provider": "harbour"}, dry_run=True)

    assert (by_another.status_code, by_another.json()["error"]) == (403, "import_failed")
    assert "this ledger is another provider's" in by_another.json()["message"]
    assert (by_itself.json()["provider"], by_itself.json()["counts"]["new"]) == ("harbour", 1)
    assert (by_operator.json()["provider"], by_operator.json()["counts"]["unchanged"]) == ("harbour", 1)
    assert (by_reader.status_code, by_reader.json()["error"]) == (403, "import_failed")
    assert (tried.status_code, tried.json()["counts"]["unchanged"]) == (200, 1)


def test_a_workbook_that_turns_out_to_be_damaged_is_the_senders_fault(server, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["learner_ref"])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as cut:
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[: -20 if "sheet1" in name else None])

    answer = post(server, "north", (tmp_path / "cut.xlsx").read_bytes())

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_workbook")


# -- a return is filtered while it arrives ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", [True, False])
def test_a_return_by_http_leaves_no_byte_of_what_is_not_kept_on_any_disk(server, own, form, monkeypatch):
    written: list[bytes] = []

    class Draft(tempfile.SpooledTemporaryFile):
        def write(self, block):
            written.append(bytes(block))
            return super().write(block)

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", Draft)
    learners = [learner(f"H{form}{at}", uln(300_000_000 + at * 1_000 + form)) for at in range(20)]
    sent = made(learners, ukprn=f"1000007{form:d}").encode()
    query = {"adapter": "ilr", "wait": 60}
    body = {"files": {"file": ("return.xml", sent)}} if form else {"content": sent}

    answer = httpx.post(f"{server.url}/api/imports", params=query, auth=server.auth(own), timeout=60, **body)

    assert answer.status_code == 200, answer.text
    assert [row[-2] for row in table(answer)[1:]] == ["new"] * 20
    kept = bytes_below(server.tenant.settings.data)
    assert bool(written) is form
    assert [word for word in SECRETS for text in (*kept, *written, answer.content) if word.encode() in text] == []


@pytest.mark.parametrize(
    ("adapter", "content", "error"),
    [
        ("eportfolio", made([learner("L1", "9999999999")]).encode(), "no_table"),
        ("ilr", GOOD.encode(), "no_ilr"),
        ("ilr", made([learner("L1", "9999999999")], head='<!DOCTYPE a [<!ENTITY b "c">]>').encode(), "bad_xml"),
    ],
)
def test_a_return_that_cannot_be_read_is_answered_with_400_at_once(server, own, adapter, content, error):
    answer = post(server, own, content, adapter)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
