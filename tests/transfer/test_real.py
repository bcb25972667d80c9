"""Forwarding to a second server of ours, read there by others' client: nothing is lost on the way."""

from __future__ import annotations

import json
from hashlib import sha256

from tincan import RemoteLRS

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.outbox import listing
from tests.served import new_id, serving, statement, voiding
from tests.transfer import forwarding
from tests.xapi.statements.multipart import fetched, first, mixed, part, send

PDF, PHOTO = b"%PDF the certificate" * 4_000, b"\x89PNG a photo\r\n--\r\n\r\n"


def with_files(id):
    return statement(
        id=id,
        attachments=[
            {
                "usageType": "https://example.org/certificate",
                "display": {"en": "A file"},
                "contentType": "application/x-file",
                "length": len(content),
                "sha2": sha256(content).hexdigest(),
            }
            for content in (PDF, PHOTO)
        ],
    )


def said(one):
    return {name: value for name, value in one.items() if name not in {"stored", "authority", "version", "timestamp"}}


def test_statements_attachments_and_voidings_arrive_as_they_were_and_a_second_time_changes_nothing(tmp_path):
    with (
        serving(tmp_path / "here", outbound_allow=("127.0.0.0/8",)) as here,
        serving(tmp_path / "there") as there,
    ):
        ids = [new_id() for _ in range(4)]
        exact = statement(id=ids[0], result={"score": {"scaled": 0.10}, "extensions": {"https://x.example/n": 1e2}})
        text = json.dumps([exact, statement(id=ids[1])]).encode()
        here.store(text.replace(b'"scaled": 0.1}', b'"scaled": 0.10}'))
        answer = send(here, mixed(first(with_files(ids[2])), part(PDF), part(PHOTO)))
        assert answer.status_code == 200, answer.text
        here.store(voiding(ids[1], id=ids[3]))
        endpoint = f"{there.address}/xapi"

        forwarding.add(here.tenant, "there", endpoint, there.auth)
        drain(here.tenant, ["match", "deliver"])
        forwarding.add(here.tenant, "again", endpoint, there.auth)
        drain(here.tenant, ["match", "deliver"])
        late = here.store(statement(), version="2.0.0")
        drain(here.tenant, ["match", "deliver"])

        client = RemoteLRS(version="1.0.3", endpoint=f"{endpoint}/", username=there.auth[0], password=there.auth[1])
        found = client.retrieve_statement(ids[0])
        assert found.success, found.data
        assert float(found.content.result.score.scaled) == 0.1
        assert client.retrieve_voided_statement(ids[1]).success
        assert [data for _, data in fetched(there, statementId=ids[2])[1:]] == [PDF, PHOTO]
        assert sorted(there.listed()) == sorted([ids[0], ids[2], ids[3], *late])
        for id in (ids[0], ids[2], ids[3]):
            assert said(there.one(id)) == said(here.one(id))
        assert b'"scaled":0.10' in there.get(statementId=ids[0]).content.replace(b" ", b"")
        assert json.loads(there.get(statementId=late[0], version="2.0.0").content)["version"] == "2.0.0"
        assert list(listing.listed(here.tenant, CHANNELS)) == []
        assert [
            (one.destination.id, one.destination.state, one.since)
            for one in listing.destinations(here.tenant, CHANNELS)
        ] == [
            ("there", "active", None),
            ("again", "active", None),
        ]


def test_two_servers_that_forward_to_each_other_come_to_rest(tmp_path):
    allow = {"outbound_allow": ("127.0.0.0/8",)}
    with serving(tmp_path / "here", **allow) as here, serving(tmp_path / "there", **allow) as there:
        for one, other in ((here, there), (there, here)):
            forwarding.add(one.tenant, "peer", f"{other.address}/xapi", other.auth)
        mine, yours = here.store([statement(), statement()]), there.store([statement()])

        claims = [drain(one.tenant, ["match", "deliver"]) for one in (here, there) * 4]

        assert sorted(here.listed()) == sorted(there.listed()) == sorted([*mine, *yours])
        assert claims[-4:] == [0, 0, 0, 0]
