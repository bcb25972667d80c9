"""The files that are attached to a PDF, and what a PDF that wants to keep the verifier busy costs."""

import time
from contextlib import suppress

import pytest

from badges.verifying.pdf_files import attached_files
from badges.verifying.verdict import Invalid

BLANKS = b" " * 3900
COSTLY = {
    "blanks behind /Filter": b"1 0 obj<</Filter" + BLANKS + b"x/EmbeddedFile>>stream\n",
    "blanks behind a bracket": b"1 0 obj<</Filter[" + BLANKS + b"x/EmbeddedFile>>stream\n",
    "many filters": b"1 0 obj<<" + b"/Filter " * 480 + b"/EmbeddedFile>>stream\n",
    "blanks behind /Length": b"1 0 obj<</Length" + BLANKS + b"x/EmbeddedFile>>stream\n",
    "blanks behind a length": b"1 0 obj<</Length 1" + BLANKS + b"1 x/EmbeddedFile>>stream\n",
}


@pytest.mark.parametrize("name", COSTLY)
def test_no_attached_file_keeps_the_verifier_busy(name):
    begun = time.thread_time()

    with suppress(Invalid):
        list(attached_files(COSTLY[name] * 20, 1000))

    assert time.thread_time() - begun < 0.5  # measured 0.003 s; it was 4.5 s


def test_all_of_a_reference_to_a_length_is_left_out_and_not_its_first_digit():
    pdf = b"1 0 obj<</Length 12 0 R/EmbeddedFile>>stream\nwhole\nendstream"

    assert list(attached_files(pdf, 1000)) == [b"whole\n"]
