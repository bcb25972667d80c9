"""The file of an import as it arrives: nothing of it is taken beside the limits."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from adapters.imports import receiving
from lrs.kernel.admission import Admission, Share
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from lrs.web.exchange import EXCHANGE
from tests.rows import each_of

FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@each_of(("kind", "begin"), [("text/csv", b"row_id,"), ("multipart/form-data; boundary=x", FORM)])
def test_a_file_of_untold_length_is_cut_off_at_the_limit_as_a_body_and_in_a_form(
    tmp_path_factory, monkeypatch, kind, begin
):
    tenant = open_tenant(Settings(data=tmp_path_factory.mktemp("receiving")))
    monkeypatch.setattr(receiving, "arriving", partial(receiving.arriving, most=200))
    admission, pieces = Admission(), [begin, b"x" * 100, b"x" * 101, b"never asked for"]
    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": "POST", "headers": headers, EXCHANGE: SimpleNamespace(share=Share(admission))}
    asked = receiving.ImportRequest("training-centre", dry_run=False, wait=0)
    sent = SimpleNamespace(tenant=tenant, asked=asked, check=lambda _: None)

    async def receive():
        return {"type": "http.request", "body": pieces.pop(0), "more_body": len(pieces) > 0}

    with pytest.raises(Refused, match="a file may have 200 bytes") as refused:
        asyncio.run(receiving.received(Request(scope, receive), sent))

    tenant.store.close()
    assert (refused.value.status, pieces) == (413, [b"never asked for"])
    assert (admission.files.inside, admission.memory.inside) == (0, 0)
