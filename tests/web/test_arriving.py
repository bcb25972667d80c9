"""A file that arrives: what is held of it, and where it is cut off."""

import asyncio
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from lrs.kernel.admission import Admission, Share
from lrs.kernel.errors import Refused
from lrs.tenancy.record import TenantRecord
from lrs.web.arriving import arriving
from lrs.web.exchange import EXCHANGE


def test_a_file_of_untold_length_is_cut_off_where_it_passes_the_limit_and_holds_nothing_afterwards():
    admission, pieces = Admission(), [b"12345", b"67890", b"1", b"never asked for"]
    scope = {"type": "http", "method": "POST", "headers": [], EXCHANGE: SimpleNamespace(share=Share(admission))}

    async def receive():
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def take():
        async with arriving(Request(scope, receive), SimpleNamespace(record=TenantRecord(created=0)), 10) as request:
            await request.body()

    with pytest.raises(Refused, match="a file may have 10 bytes") as refused:
        asyncio.run(take())

    assert (refused.value.status, pieces) == (413, [b"never asked for"])
    assert (admission.files.inside, admission.memory.inside) == (0, 0)
