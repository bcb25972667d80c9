"""Packed bodies are taken as if they had come unpacked, under the same limits; what cannot be unpacked is told."""

import asyncio
import gzip
import json
import random
import tracemalloc
import zlib
from urllib.parse import urlencode

import pytest

from lrs.kernel.errors import Refused
from lrs.web.codings import PIECE, unpacked
from tests.matching.world import put_service
from tests.served import new_id, serving, something, statement
from tests.xapi.statements.multipart import attached, part


def deflated(body):
    """As some senders take the word: without zlib's head and sum."""
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(body) + packing.flush()


def in_two_members(body):
    return gzip.compress(body[:5]) + gzip.compress(b"") + gzip.compress(body[5:])


WAYS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip, in capitals": ("X-GZIP", gzip.compress),
    "gzip of several members": ("gzip", in_two_members),
    "deflate": ("deflate", zlib.compress),
    "deflate of the fastest kind": ("deflate", lambda body: zlib.compress(body, 1)),
    "deflate without a head": ("deflate", deflated),
    "identity beside it": ("identity, gzip", gzip.compress),
    "identity": ("identity", bytes),
    "nothing": ("", bytes),
}
ways = pytest.mark.parametrize(("coding", "pack"), WAYS.values(), ids=list(WAYS))


def told(coding, **more):
    return {"Content-Encoding": coding, **more}


@ways
def test_packed_statements_are_stored(lrs, coding, pack):
    one = statement(id=new_id(), result={"response": "x" * 200_000})

    answer = lrs.post(pack(json.dumps(one).encode()), headers=told(coding))

    assert answer.json() == [one["id"]]
    assert lrs.one(one["id"])["result"] == one["result"]


def test_a_packed_body_may_come_in_chunks(lrs):
    packed = gzip.compress(json.dumps([statement() for _ in range(50)]).encode())

    answer = lrs.ask(
        "POST",
        "statements",
        content=(packed[start : start + 7] for start in range(0, len(packed), 7)),
        headers=told("gzip", **{"Content-Type": "application/json"}),
    )

    assert len(answer.json()) == 50


@ways
@pytest.mark.parametrize("type", ["text/plain", "application/json"])
@pytest.mark.parametrize("size", [10, 400_000])
def test_a_packed_document_is_kept_unpacked(lrs, coding, pack, type, size):
    named = {"activityId": something(), "profileId": "p"}
    body = b'"' + b"\xc3\xa9" * size + b'"'

    headers = told(coding, **{"Content-Type": type, "If-None-Match": "*"})
    put = lrs.ask("PUT", "activities/profile", params=named, content=pack(body), headers=headers)

    assert put.status_code == 204
    answer = lrs.ask("GET", "activities/profile", params=named)
    assert answer.content == body
    assert "content-encoding" not in answer.headers


def test_a_packed_request_with_attachments_is_stored(lrs):
    one = attached(b"data")
    mixed = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(one).encode() + b"\r\n--b\r\n"
    mixed += part(b"data") + b"\r\n--b--\r\n"

    answer = lrs.post(gzip.compress(mixed), type="multipart/mixed; boundary=b", headers=told("gzip"))

    assert answer.json() == [one["id"]]


def test_a_packed_form_stands_for_a_request(lrs):
    form = urlencode({"statementId": new_id(), "content": json.dumps(statement())}).encode()

    answer = lrs.ask(
        "POST",
        "statements?method=PUT",
        content=gzip.compress(form),
        headers=told("gzip", **{"Content-Type": "application/x-www-form-urlencoded"}),
    )

    assert answer.status_code == 204


def test_a_form_cannot_say_that_its_text_is_packed(lrs):
    form = {"statementId": new_id(), "content": json.dumps(statement()), "Content-Encoding": "gzip"}

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = lrs.ask("POST", "statements?method=PUT", content=urlencode(form), headers=headers)

    assert answer.status_code == 415


def test_bodies_beside_xapi_may_be_packed(lrs):
    made = put_service(lrs.tenant, name=new_id())
    form = urlencode({"grant_type": "client_credentials"}).encode()

    answer = lrs.clients[0].post(
        f"{lrs.address}/oauth/token",
        content=zlib.compress(form),
        headers=told("deflate", **{"Content-Type": "application/x-www-form-urlencoded"}),
        auth=(made.service.id, made.client_secret),
    )

    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "rot13"])
def test_another_coding_is_415_and_says_which_there_are(lrs, coding):
    for answer in (
        lrs.post(statement(), headers=told(coding)),
        lrs.ask(
            "PUT", "activities/profile", params={"activityId": something(), "profileId": "p"}, headers=told(coding)
        ),
        lrs.clients[0].post(f"{lrs.address}/oauth/token", headers=told(coding)),
    ):
        assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")
        assert "send gzip, deflate" in answer.json()["message"]
        assert answer.headers["accept-encoding"] == "gzip, deflate"


WHOLE = gzip.compress(json.dumps(statement()).encode())


@pytest.mark.parametrize(
    ("coding", "body", "message"),
    [
        ("gzip", b"{}", "is gzip, but it is not in that coding"),
        ("gzip", WHOLE[:-9], "is gzip, but it ends too early"),
        ("gzip", WHOLE[:5], "is gzip, but it ends too early"),
        ("gzip", WHOLE[:-4] + b"\0\0\0\0", "is gzip, but it is not in that coding"),
        ("gzip", WHOLE + b"more", "is gzip, but it is not in that coding"),
        ("deflate", zlib.compress(b"{}") + b"more", "is deflate, but it goes on behind its end"),
        ("deflate", b"{}", "is deflate, but it ends too early"),
        ("deflate", b"\xff", "is deflate, but it is not in that coding"),
        ("gzip", gzip.compress(b"") * 10_000, "is gzip, but it has next to nothing in it"),
    ],
    ids=[  # what is packed has its time in it, and would name the case differently in each process
        *("no gzip", "cut off", "cut off early", "another length", "something behind"),
        *("deflate with something behind", "no deflate", "no deflate at all", "ten thousand empty ones"),
    ],
)
def test_a_body_that_is_not_in_its_coding_is_400_and_nothing_is_stored(lrs, coding, body, message):
    answer = lrs.post(body, headers=told(coding))

    assert answer.status_code == 400
    assert f"the body's Content-Encoding {message}" in answer.json()["message"]


def test_what_a_packed_body_holds_is_under_the_limits(tmp_path):
    large = gzip.compress(json.dumps(statement(result={"response": "x" * 30_000})).encode())
    with serving(tmp_path, max_body=20_000, max_document=20_000) as lrs:
        document = {"params": {"activityId": something(), "profileId": "p"}, "content": gzip.compress(b"x" * 30_000)}
        refused = [
            lrs.post(large, headers=told("gzip")),
            lrs.ask("PUT", "activities/profile", **document, headers=told("gzip", **{"If-None-Match": "*"})),
        ]

    assert len(large) < 1_000
    assert [answer.status_code for answer in refused] == [413, 413]
    assert [answer.json()["message"] for answer in refused] == [
        "the request body is larger than 20000 bytes",
        "the document is larger than 20000 bytes",
    ]


def pieces_of(packed, most, coding=b"gzip", step=65_536):
    """The sizes of what comes out of *packed*, of which no more than *most* bytes are wanted."""
    messages = [packed[start : start + step] for start in range(0, len(packed), step)]

    async def receive():
        return {"type": "http.request", "body": messages.pop(0), "more_body": bool(messages)}

    async def taken():
        unpacking = unpacked([(b"content-encoding", coding)], receive)
        sizes = []
        while sum(sizes) < most:
            message = await unpacking()
            sizes.append(len(message["body"]))
            if not message["more_body"]:
                break
        return sizes

    return asyncio.run(taken())


def test_a_body_that_unpacks_to_a_thousand_times_its_size_is_unpacked_piece_by_piece():
    packing = zlib.compressobj(9, wbits=31)
    packed = b"".join(packing.compress(bytes(1 << 20)) for _ in range(256)) + packing.flush()
    assert len(packed) < 300_000

    tracemalloc.start()
    try:
        sizes = pieces_of(packed, 16 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert set(sizes) == {PIECE}
    assert sum(sizes) == 16 << 20
    assert peak < 1_500_000


@pytest.mark.parametrize("step", [100_000, 1_000_000, 10_000_000])
@pytest.mark.parametrize("level", [0, 9])
def test_a_large_body_that_arrives_in_large_pieces_is_unpacked_whole(step, level):
    body = random.Random(1).randbytes(3_000_000) + bytes(3_000_000)

    assert sum(pieces_of(gzip.compress(body, level), 1 << 30, step=step)) == 6_000_000


@pytest.mark.parametrize("step", [1, 2, 3, 1_000])
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
@pytest.mark.parametrize(("coding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
def test_every_byte_comes_out_however_the_packed_ones_arrive(coding, pack, size, step):
    assert sum(pieces_of(pack(b"ab" * size)[:], 1 << 30, coding, step)) == 2 * size


def test_empty_members_are_stopped_though_nothing_comes_out():
    with pytest.raises(Refused, match="next to nothing"):
        pieces_of(gzip.compress(b"", mtime=0) * 10_000, 1)


def test_a_client_that_goes_away_is_noticed():
    async def receive():
        return {"type": "http.disconnect"}

    unpacking = unpacked([(b"content-encoding", b"gzip")], receive)

    assert asyncio.run(unpacking()) == {"type": "http.disconnect"}
