"""The edge below the resources: how an answer is written."""

import asyncio
import threading

import pytest

from lrs.kernel.errors import Refused
from lrs.xapi.request import MOST_PARAMETERS, Answer, query_of, send_answer


def test_the_chunks_of_an_answer_are_made_beside_the_loop():
    makers = set()

    def chunks():
        for chunk in (b"one", b"two"):
            makers.add(threading.get_ident())
            yield chunk

    sent = []

    async def send(message):
        sent.append((message.get("body"), message.get("more_body", False)))

    asyncio.run(send_answer(Answer(200, chunks()), send, headers=(), head=False))

    assert sent == [(None, False), (b"one", True), (b"two", True), (b"", False)]
    assert makers
    assert threading.get_ident() not in makers


def test_parameters_are_counted_before_anything_is_made_of_them():
    assert len(query_of(b"&".join([b"a=1"] * MOST_PARAMETERS))) == MOST_PARAMETERS
    with pytest.raises(Refused, match="more than 100 parameters"):
        query_of(b"&" * MOST_PARAMETERS)
