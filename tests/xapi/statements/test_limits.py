"""Each limit is refused with the limit named, at the limit nothing is; limits are lowered by settings."""

import base64
import gzip
import json
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from lrs.kernel.settings import Settings
from tests.served import new_id, serving, statement
from tests.xapi.statements.multipart import attached, first, mixed, part, send

LIMITS = {
    "max_body": 20_000,
    "max_body_with_attachments": 60_000,
    "max_statement": 4_000,
    "max_batch": 5,
    "max_document": 3_000,
    "max_attachments": 3,
    "max_depth": 20,
    "max_page": 4,
    "max_header": 2_000,
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("small"), **LIMITS) as served:
        yield served


def padded(size, **parts):
    """A statement's text of exactly *size* bytes."""
    body = json.dumps(statement(result={"response": ""}, **parts))
    return body.replace('"response": ""', f'"response": "{"x" * (size - len(body))}"').encode()


def chunked(body):
    """*body* without a length told."""
    yield from (body[start : start + 1_000] for start in range(0, len(body), 1_000))


def too_large(answer, message):
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (413, "too_large", message)


def test_a_body_over_the_limit_is_413_told_or_not(small):
    batch = b"[" + b",".join(padded(3_999) for _ in range(5)) + b"]"
    assert len(batch) == 20_001

    too_large(small.post(batch), "the request body is larger than 20000 bytes")
    headers = {"Content-Type": "application/json"}
    unknown = small.ask("POST", "statements", content=chunked(batch + b" " * 50_000), headers=headers)
    too_large(unknown, "the request body is larger than 20000 bytes")
    assert small.post(batch.replace(b"xx", b"x", 1)).status_code == 200


def test_a_told_length_over_the_limit_is_refused_before_it_is_sent(small):
    address = urlsplit(small.address)
    head = (
        "POST /xapi/statements HTTP/1.1\r\nHost: x\r\nX-Experience-API-Version: 1.0.3\r\n"
        f"Content-Type: application/json\r\nAuthorization: Basic {_basic(small)}\r\nContent-Length: 99999999999\r\n\r\n"
    )

    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def _basic(lrs):
    return base64.b64encode(":".join(lrs.auth).encode()).decode()


def test_a_statement_over_the_limit_is_413_and_named(small):
    one = padded(4_001, id=(statement_id := new_id()))

    too_large(small.post(one), "the statement is larger than 4000 bytes")
    batch = small.post(b"[%s,%s]" % (padded(4_000), one))
    too_large(batch, "the statement is larger than 4000 bytes")
    assert (batch.json()["pointer"], batch.json()["index"]) == ("/1", 1)
    too_large(small.put(one, statement_id), "the statement is larger than 4000 bytes")
    assert small.get(statementId=statement_id).status_code == 404
    assert small.post(padded(4_000)).status_code == 200


def test_a_batch_over_the_limit_is_413(small):
    batch = [statement(id=new_id()) for _ in range(6)]

    too_large(small.post(batch), "more than 5 statements in a request")
    assert small.get(statementId=batch[0]["id"]).status_code == 404
    assert small.post(batch[:5]).status_code == 200


def test_number_and_sizes_of_statements_are_looked_at_before_they_are_decoded(small):
    """Decoded, a text takes many times its bytes. So a fault in it, found by decoding, is not what is told."""
    fault = b'{"a":1,"a":2}'

    too_large(small.post(b"[" + b"[]," * 5 + fault + b"]"), "more than 5 statements in a request")
    too_large(small.post(b"[%s,[%s]]" % (fault, b" " * 4_000)), "the statement is larger than 4000 bytes")
    too_large(small.post(fault[:-1] + b" " * 4_000 + b"}"), "the statement is larger than 4000 bytes")


def test_depth_over_the_limit_is_400_and_named(small):
    def nested(levels):
        deep = "[" * levels + "]" * levels
        return json.dumps(statement(result={"extensions": {"x:y": 0}})).replace(": 0", f": {deep}").encode()

    answer = small.post(nested(18))

    assert answer.status_code == 400
    assert answer.json()["message"] == "The JSON is nested deeper than 20 levels."
    assert small.post(nested(17)).status_code == 200
    parameter = small.get(agent="[" * 200 + "]" * 200)
    assert parameter.json()["message"] == "parameter 'agent': The JSON is nested deeper than 100 levels."


def test_attachments_over_the_limits_are_413(small):
    files = [bytes([65 + n]) * 10 for n in range(4)]
    one, huge = attached(*files), b"z" * 61_000

    too_large(send(small, mixed(first(one), *map(part, files))), "more than 3 attachments")
    too_large(
        send(small, mixed(first(attached(huge)), part(huge))),
        "the request body is larger than 60000 bytes",
    )
    too_large(
        send(small, mixed(b"Content-Type: application/json\r\n\r\n" + b" " * 20_001)),
        "the statements are larger than 20000 bytes",
    )
    assert small.get(statementId=one["id"]).status_code == 404
    assert send(small, mixed(first(attached(*files[:3])), *map(part, files[:3]))).status_code == 200


def test_ten_thousand_parts_are_refused_early(lrs):
    body = mixed(first(statement()), *[part(b"x")] * 10_000)

    too_large(send(lrs, body), "more than 100 attachments")


def test_endless_headers_of_a_part_are_refused(lrs):
    for headers in (b"X: " + b"y" * 1_000_000, b"".join(b"X%d: y\r\n" % n for n in range(50_000)), b"x" * 100_000):
        answer = send(lrs, mixed(first(statement()), headers + b"\r\n\r\nx"))

        assert answer.status_code == 400
        assert answer.json()["rule"] == "xAPI 1.0.3 Communication 1.5.2"


def test_a_header_of_a_part_counts_each_time_it_is_there(lrs):
    one, data = attached(b"x"), part(b"x")

    refused = send(lrs, mixed(first(one), b"X: y\r\n" * 18 + data))

    assert refused.status_code == 400
    assert refused.json()["message"] == "a part has a header longer than 4096 bytes, or more than 20"
    assert send(lrs, mixed(first(one), b"X: y\r\n" * 17 + data)).status_code == 200


@pytest.mark.parametrize("type", ["application/json", "text/plain"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_document_over_the_limit_is_413(small, method, type):
    params = {"activityId": "https://example.org/a", "profileId": new_id()}
    headers = {"Content-Type": type, "If-None-Match": "*"}

    def write(body):
        return small.ask(method, "activities/profile", params=params, content=body, headers=headers)

    too_large(write(b'"' + b"x" * 2_999 + b'"'), "the document is larger than 3000 bytes")
    assert small.ask("GET", "activities/profile", params=params).status_code == 404
    assert write(b'"' + b"x" * 2_998 + b'"').status_code == 204


def test_a_page_has_at_most_the_limit(small):
    small.store([statement() for _ in range(5)])

    assert len(small.get(limit=1_000).json()["statements"]) == 4


def test_a_header_block_over_the_limit_is_431(small):
    answer = small.get(headers={"X-Long": "x" * 2_000})

    assert (answer.status_code, answer.json()["message"]) == (431, "the headers are larger than 2000 bytes")
    assert answer.headers["x-experience-api-version"] == "1.0.3"
    assert small.get(headers={"X-Long": "x" * 500}, limit=1).status_code == 200
    for path in ("/api/imports", "/", "/console", "/oauth/token", "/health", "/nothing"):
        other = httpx.get(f"{small.address}{path}", headers={"X-Long": "x" * 2_000}, trust_env=False)
        assert other.status_code == 431, path


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"x" * 1_000_000,
        b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200_000,
    ],
    ids=["line", "header", "headers"],
)
def test_a_head_without_end_is_cut_off(lrs, endless):
    address = urlsplit(lrs.address)

    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        said = b""
        with suppress(ConnectionError):
            connection.sendall(endless)
        with suppress(ConnectionError):
            said = connection.recv(1_000)

    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")
    assert lrs.get(limit=1).status_code == 200


CHUNKED = "POST /xapi/statements HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


def raw(lrs):
    """A connection to the server, to say what no client would."""
    address = urlsplit(lrs.address)
    return socket.create_connection((address.hostname, address.port), timeout=60)


def said_until_closed(connection):
    said = b""
    with suppress(ConnectionError):
        while more := connection.recv(65_536):
            said += more
    return said


@pytest.mark.parametrize("trailers", [b"X: " + b"y" * 1_000_000, b"X: y\r\n" * 200_000], ids=["one", "many"])
@pytest.mark.parametrize("version", ["", "X-Experience-API-Version: 1.0.3\r\n"], ids=["answered", "unauthorized"])
def test_trailers_without_end_are_cut_off(lrs, trailers, version):
    with raw(lrs) as connection:
        connection.sendall(f"{CHUNKED}{version}\r\n2\r\n{{}}\r\n0\r\n".encode())
        status = connection.recv(12)
        with suppress(ConnectionError):
            connection.sendall(trailers)
            connection.sendall(b"X: y\r\n" * 50_000)
        said_until_closed(connection)

    assert status in {b"HTTP/1.1 400", b"HTTP/1.1 401"}
    assert lrs.get(limit=1).status_code == 200


def test_trailers_are_not_headers(lrs):
    head = f"{CHUNKED}Authorization: Basic {_basic(lrs)}\r\nContent-Type: application/json\r\n"
    body = json.dumps(statement()).encode()
    with raw(lrs) as connection:
        connection.sendall(head.encode() + b"X-Experience-API-Version: 1.0.3\r\nConnection: close\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n0\r\nContent-Type: text/plain\r\n\r\n" % (len(body), body))

        assert said_until_closed(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("begun", "answer"),
    [
        (b"", b""),
        (b"POST /xapi/statements HTTP/1.1\r\nHost: x\r\n", b"HTTP/1.1 408 "),
        (b"POST /xapi/statements?method=PUT HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 408 "),
        (b"POST /xapi/statements?method=PUT HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na=b", b"HTTP/1.1 408 "),
        (b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na=b", b"HTTP/1.1 408 "),
    ],
    ids=["nothing", "half a head", "no body", "half a body", "outside xAPI"],
)
def test_a_client_that_stops_in_the_middle_of_a_request_gets_408_and_is_cut_off(tmp_path, begun, answer):
    with serving(tmp_path, patience=0.2) as lrs, raw(lrs) as connection:
        connection.sendall(begun)

        assert said_until_closed(connection)[:13] == answer


def test_a_body_that_drips_is_408_and_one_that_flows_is_not(tmp_path):
    whole = json.dumps(statement()).encode()
    with serving(tmp_path, patience=3.0) as lrs, raw(lrs) as slow:
        head = f"POST /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {_basic(lrs)}\r\n"
        head += "Content-Type: application/json\r\nX-Experience-API-Version: 1.0.3\r\nContent-Length: %d\r\n\r\n"
        slow.sendall((head % 9_999).encode())
        with raw(lrs) as steady:
            padded_body = whole + b" " * 20_000
            steady.sendall((head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n") % len(padded_body)).encode())
            answer = b""
            for start in range(0, len(padded_body), 2_048):
                steady.sendall(padded_body[start : start + 2_048])
                with suppress(BrokenPipeError):  # it is closed already, and its answer waits to be read
                    slow.sendall(b" ")
                time.sleep(0.4)
            answer = said_until_closed(steady)

        assert said_until_closed(slow).startswith(b"HTTP/1.1 408 ")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("query", ["?method=PUT", ""], ids=["unauthenticated", "authenticated"])
def test_bodies_that_do_not_arrive_keep_nobody_out(lrs, query):
    sender = "" if query else f"Content-Type: application/json\r\nAuthorization: Basic {_basic(lrs)}\r\n"
    head = f"POST /xapi/statements{query} HTTP/1.1\r\nHost: x\r\nX-Experience-API-Version: 1.0.3\r\n{sender}"
    begun = f"{head}Content-Length: 200000\r\n\r\n".encode() + b"x" * 65_536
    with ExitStack() as stalled:
        for _ in range(16):
            stalled.enter_context(raw(lrs)).sendall(begun)

        assert {lrs.post(statement()).status_code for _ in range(50)} == {200}


def test_who_waits_for_the_server_is_not_cut_off(tmp_path):
    with serving(tmp_path, patience=1.0) as lrs:
        held, go = threading.Event(), threading.Event()
        lrs.tenant.store.write(lambda _: (held.set(), go.wait(3)))
        assert held.wait(10)

        assert lrs.post(statement()).status_code == 200


def test_a_query_of_very_many_parameters_is_400(lrs):
    answer = lrs.ask("GET", "statements?" + "&".join(f"a{n}=1" for n in range(101)))

    assert (answer.status_code, answer.json()["message"]) == (400, "the query has more than 100 parameters")


def test_bodies_in_memory_have_a_budget_that_comes_back(tmp_path):
    with serving(tmp_path, queue_bytes=5_000) as lrs:
        for _ in range(3):
            busy = lrs.post(padded(6_000))
            assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
            assert busy.json()["error"] == "overloaded"
        for content_type in ("application/json", "text/plain"):
            document = lrs.ask(
                "PUT",
                "activities/profile",
                params={"activityId": "https://example.org/a", "profileId": "p"},
                content=b'"' + b"x" * 6_000 + b'"',
                headers={"Content-Type": content_type, "If-None-Match": "*"},
            )
            assert document.status_code == 503
        form = lrs.clients[0].post(f"{lrs.address}/pages/sign-in", content=b"key=" + b"x" * 6_000)
        assert (form.status_code, form.headers["retry-after"]) == (503, "1")
        assert send(lrs, mixed(first(json.loads(padded(6_000))))).status_code == 503
        files = [bytes([65 + n]) * 1_500 for n in range(3)]
        assert send(lrs, mixed(first(attached(*files)), *map(part, files))).status_code == 503

        packed = gzip.compress(padded(6_000))
        assert len(packed) < 300
        assert lrs.post(packed, headers={"Content-Encoding": "gzip"}).status_code == 503

        assert [lrs.post(padded(4_000)).status_code for _ in range(3)] == [200, 200, 200]


def test_a_full_queue_is_503_with_retry_after_and_recovers_by_itself(tmp_path):
    with serving(tmp_path, queue_count=8, queue_age=60) as lrs:
        held, go = threading.Event(), threading.Event()
        lrs.tenant.store.write(lambda _: (held.set(), go.wait(20)))
        assert held.wait(10)
        waiting = [lrs.tenant.store.write(lambda _: None) for _ in range(8)]

        busy = lrs.post(one := statement(id=new_id()))
        reading = lrs.get(limit=1)
        go.set()
        for future in waiting:
            future.result(10)

        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert busy.json()["message"] == "the server is busy: send this again"
        assert reading.status_code == 200
        assert lrs.get(statementId=one["id"]).status_code == 404
        assert lrs.post(one).status_code == 200


def test_a_queue_that_waits_too_long_is_503(tmp_path):
    with serving(tmp_path, queue_age=1e-9) as lrs:
        held, go = threading.Event(), threading.Event()
        lrs.tenant.store.write(lambda _: (held.set(), go.wait(20)))
        assert held.wait(10)
        first_in_line = lrs.tenant.store.write(lambda _: None)

        busy = lrs.post(statement())
        go.set()
        first_in_line.result(10)

        assert busy.status_code == 503
        assert lrs.post(statement()).status_code == 200


def test_every_limit_is_a_setting(monkeypatch):
    for name, value in LIMITS.items():
        monkeypatch.setitem(os.environ, f"LRS_{name.upper()}", str(value))

    assert {name: getattr(Settings(), name) for name in LIMITS} == LIMITS
