"""Attachments over HTTP: multipart in and out. The numbers are those of the project's xAPI checklist, section 2."""

import json
from hashlib import sha224, sha256, sha384, sha512

import pytest

from tests.rows import each_of
from tests.served import new_id, somebody, statement
from tests.xapi.statements.multipart import attached, fetched, first, mixed, part, send

A, B = b"one file", b"another file"
PHOTO = bytes(range(256)) * 3 + b"\r\n--b\r\nno boundary: \r\n--\r\n"


@pytest.mark.parametrize(
    "type", ["multipart/form-data; boundary=the-boundary", "text/plain", "application/xml", "application/json2", ""]
)
def test_47_other_types_are_400(lrs, type):
    answer = send(lrs, mixed(first(statement())), type=type)

    assert answer.status_code == 400
    assert answer.json()["message"] == "the Content-Type must be application/json or multipart/mixed"


C, D = b"a file of none", b"another file of none"
MALFORMED = {
    "no boundary parameter": (
        mixed(first(attached(C)), part(C)),
        "multipart/mixed",
        "the Content-Type multipart/mixed has no usable boundary parameter",
    ),
    "a boundary that does not occur": (
        mixed(first(attached(C)), part(C)),
        "multipart/mixed; boundary=other",
        "the boundary of the Content-Type does not occur in the body",
    ),
    "lines that end with LF alone": (
        mixed(first(attached(C)), part(C)).replace(b"\r\n", b"\n"),
        None,
        (
            "the multipart body is malformed: each boundary and each header needs a line of its own that ends with"
            " CR LF, and an empty line stands before the data"
        ),
    ),
    "no closing boundary": (
        mixed(first(attached(C)), part(C))[:-6],
        None,
        "the multipart body ends before its closing boundary",
    ),
    "an empty body": (b"", None, "the boundary of the Content-Type does not occur in the body"),
    "a first part that is no JSON": (
        mixed(first(attached(C), "text/plain"), part(C)),
        None,
        "the first part must be the statements, as application/json",
    ),
    "attachment before statements": (mixed(part(C), first(attached(C))), None, None),
    "a second part of statements": (
        mixed(first(attached(C)), first(statement()), part(C)),
        None,
        "part 2, an attachment, needs Content-Transfer-Encoding: binary",
    ),
    "no hash": (
        mixed(first(attached(C)), part(C, X_Experience_API_Hash=None)),
        None,
        "part 2, an attachment, needs X-Experience-API-Hash with a SHA-2 in hex",
    ),
    "a hash of another form": (mixed(first(attached(C)), part(C, X_Experience_API_Hash="abc")), None, None),
    "a hash that nothing has": (
        mixed(first(attached(C)), part(C), part(D)),
        None,
        f"no attachment has the sha2 {sha256(D).hexdigest()[:16]}… of a part",
    ),
    "data that has another hash": (
        mixed(first(attached(C)), part(D, X_Experience_API_Hash=sha256(C).hexdigest())),
        None,
        "part 2 has not the data that its X-Experience-API-Hash says",
    ),
    "another transfer encoding": (
        mixed(first(attached(C)), part(C, Content_Transfer_Encoding="base64")),
        None,
        "part 2, an attachment, needs Content-Transfer-Encoding: binary",
    ),
    "no transfer encoding": (mixed(first(attached(C)), part(C, Content_Transfer_Encoding=None)), None, None),
    "a missing part": (
        mixed(first(attached(C, D)), part(C)),
        None,
        f"the data of the attachment with sha2 {sha256(D).hexdigest()[:16]}… is missing",
    ),
    "a part twice, once with other data": (
        mixed(first(attached(C)), part(C), part(D, X_Experience_API_Hash=sha256(C).hexdigest())),
        None,
        "part 3 has not the data that its X-Experience-API-Hash says",
    ),
    "a part twice that nothing asks for": (
        mixed(first(attached(C)), part(C), part(D), part(D)),
        None,
        f"no attachment has the sha2 {sha256(D).hexdigest()[:16]}… of a part",
    ),
    "a header without end": (mixed(first(attached(C)), part(C, X="y" * 5_000)), None, None),
    "very many headers": (
        mixed(first(attached(C)), part(C, **{f"X{n}": "y" for n in range(50)})),
        None,
        None,
    ),
}


@each_of("fault", MALFORMED)
def test_47_malformed_multipart_is_400_and_nothing_is_stored(lrs, fault):
    body, type, message = MALFORMED[fault]
    statement_id = json.loads(body[body.index(b'{"actor') :].splitlines()[0])["id"] if body else new_id()

    answer = send(lrs, body, type=type or "multipart/mixed; boundary=the-boundary")

    assert answer.status_code == 400
    assert message is None or answer.json()["message"] == message
    assert lrs.get(statementId=statement_id).status_code == 404
    assert not list(lrs.tenant.settings.data.rglob(sha256(C).hexdigest()))


def test_48_in_json_every_attachment_needs_a_file_url(each_lrs):
    without = attached(A)
    linked = attached(B, fileUrl="https://example.org/file")
    nested = statement(object={"objectType": "SubStatement"} | {n: v for n, v in attached(A).items() if n != "id"})

    refused = each_lrs.post([linked, without])

    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "an attachment without fileUrl needs its data: send the request as multipart/mixed"
    )
    assert (refused.json()["pointer"], refused.json()["index"]) == ("/1/attachments/0", 1)
    inner = each_lrs.post(nested)
    assert (inner.status_code, inner.json()["pointer"]) == (400, "/object/attachments/0")
    assert each_lrs.store(linked) == [linked["id"]]
    assert each_lrs.one(linked["id"])["attachments"] == linked["attachments"]


@pytest.mark.parametrize(
    ("version", "rule"), [("1.0.3", "xAPI 1.0.3 Communication 1.5.2"), ("2.0.0", "IEEE 9274.1.1 4.1.3")]
)
@pytest.mark.parametrize("before", [None, 0, 1])
def test_48_a_missing_part_is_named_by_its_place_also_in_a_substatement_and_in_a_list_of_one(
    lrs, before, version, rule
):
    inner = {"objectType": "SubStatement"} | {name: part for name, part in attached(C, D).items() if name != "id"}
    in_list = "" if before is None else f"/{before}"
    for one, place in ((attached(C, D), "/attachments/1"), (statement(object=inner), "/object/attachments/1")):
        body = one if before is None else [*(statement() for _ in range(before)), one]

        answer = send(lrs, mixed(first(body), part(C)), version=version)

        assert answer.status_code == 400
        assert (answer.json()["pointer"], answer.json().get("index")) == (in_list + place, before)
        assert answer.json()["rule"] == rule


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_48_multipart_may_carry_no_data_or_data_beside_a_file_url(lrs, version):
    plain, linked = statement(), attached(A, fileUrl="https://example.org/file")
    both = attached(A, fileUrl="https://example.org/file")

    for body in (mixed(first(plain)), mixed(first(linked)), mixed(first(both), part(A))):
        assert send(lrs, body, version=version).status_code == 200
    assert fetched(lrs, statementId=both["id"])[1][1] == A


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_48_the_same_data_twice_is_taken_once(each_lrs, version):
    one, other = attached(A, A), attached(A)

    answer = send(each_lrs, mixed(first([one, other]), part(A), part(B), part(A)), version=version)
    taken = send(each_lrs, mixed(first([one, other]), part(A), part(A)), version=version)

    assert answer.status_code == 400
    assert (taken.status_code, taken.json()) == (200, [one["id"], other["id"]])
    parts = fetched(each_lrs, statementId=one["id"])
    assert [parts[1][1], len(parts)] == [A, 2]


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_49_length_is_not_held_against_the_data(lrs, version):
    one = attached(A, length=len(A) // 2)

    assert send(lrs, mixed(first(one), part(A)), version=version).json() == [one["id"]]
    assert fetched(lrs, statementId=one["id"])[1][1] == A


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_50_what_real_clients_write_is_read(lrs, version):
    one, boundary = attached(PHOTO), "-" * 24 + "x'()+_,./:=?"
    line = b"--" + boundary.encode()
    body = (
        b"\r\n"
        + line
        + b"\r\nContent-Type:application/json\r\n\r\n"
        + json.dumps(one).encode()
        + b"\r\n"
        + line
        + b"\r\n"
        b"content-type:application/x-file\r\nCONTENT-TRANSFER-ENCODING:binary\r\nX-Experience-API-Hash:"
        + sha256(PHOTO).hexdigest().upper().encode()
        + b"\r\n\r\n"
        + PHOTO
        + b"\r\n"
        + line
        + b"--"
    )

    answer = send(lrs, body, type=f'multipart/mixed; charset=utf-8; boundary="{boundary}"', version=version)

    assert answer.status_code == 200, answer.text
    assert fetched(lrs, statementId=one["id"])[1][1] == PHOTO


@pytest.mark.parametrize(
    "preamble", [b"\r\n", b"MIME, in several - or many - parts\r\n", b"x" * 200_000 + b"\r\n--the\r\n"]
)
def test_50_what_stands_before_the_first_boundary_is_ignored(lrs, preamble):
    one = attached(PHOTO)

    answer = send(lrs, preamble + mixed(first(one), part(PHOTO)))

    assert answer.status_code == 200, answer.text
    assert fetched(lrs, statementId=one["id"])[1][1] == PHOTO


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n\r\n--", b"\x00", PHOTO, b"x" * 300_000], ids=len)
def test_50_the_bytes_are_kept_exactly(each_lrs, content):
    one = attached(content)

    assert send(each_lrs, mixed(first(one), part(content))).status_code == 200

    (_, body), (headers, data) = fetched(each_lrs, statementId=one["id"])
    assert data == content
    assert headers == {
        "Content-Type": "application/x-file",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha256(content).hexdigest(),
    }
    assert json.loads(body)["attachments"] == one["attachments"]


def test_51_each_part_is_sent_once_after_the_statements(each_lrs):
    actor = somebody()
    batch = [attached(A, B) | {"actor": actor}, attached(B) | {"actor": actor}, statement(actor=actor)]
    assert send(each_lrs, mixed(first(batch), part(A), part(B))).status_code == 200

    listed, *data = fetched(each_lrs, agent=actor)
    (_, single), *_ = fetched(each_lrs, statementId=batch[1]["id"])

    assert listed[0] == {"Content-Type": "application/json"}
    assert [one["id"] for one in json.loads(listed[1])["statements"]][1:] == [batch[1]["id"], batch[0]["id"]]
    assert [content for _, content in data] == [B, A]
    whole = each_lrs.get(statementId=batch[1]["id"], attachments="true")
    assert whole.text.count(sha256(B).hexdigest()) == 2
    assert json.loads(single)["id"] == batch[1]["id"]


def test_51_the_parts_follow_through_more_and_only_where_they_are_asked_for(lrs):
    actor = somebody()
    for content in (A, B):
        send(lrs, mixed(first(attached(content) | {"actor": actor}), part(content)))

    page = lrs.get(agent=actor, limit=1, attachments="true")
    more = json.loads(page.content.split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0])["more"]

    assert B in page.content
    assert A in lrs.follow(more).content
    for given in ({}, {"attachments": "false"}):
        assert lrs.get(agent=actor, **given).headers["content-type"] == "application/json"


def test_51_the_answer_is_multipart_also_without_attachments(lrs):
    statement_id = lrs.store(statement())[0]

    assert len(fetched(lrs, statementId=statement_id)) == 1
    assert len(fetched(lrs, agent=somebody())) == 1


def test_51_head_of_attachments_has_no_body(lrs):
    answer = lrs.ask("HEAD", "statements", params={"attachments": "true", "limit": "1"})

    assert answer.headers["content-type"].startswith("multipart/mixed; boundary=")
    assert answer.content == b""


@pytest.mark.parametrize("digest", [sha224, sha256, sha384, sha512])
def test_51_each_sha_2_and_the_data_of_a_substatement_are_kept_too(lrs, digest):
    sha2 = digest(A).hexdigest()
    inner = attached(A, sha2=sha2)
    del inner["id"]
    one = statement(id=new_id(), object={"objectType": "SubStatement"} | inner)

    answer = send(lrs, mixed(first(one), part(A, X_Experience_API_Hash=sha2)))

    assert answer.status_code == 200, answer.text
    assert fetched(lrs, statementId=one["id"])[1][1] == A


def test_14_data_may_be_sent_again(lrs):
    one = attached(A)
    body = mixed(first(one), part(A))

    assert [send(lrs, body).status_code for _ in range(2)] == [200, 200]
    assert lrs.put(body, one["id"], type="multipart/mixed; boundary=the-boundary").status_code == 204
