"""Why another server was not reached, in words."""

import pytest

from lrs.kernel.unreached import why


def broken_and_then_late():
    try:
        raise BrokenPipeError
    except OSError:
        try:
            raise TimeoutError
        except OSError as late:
            raise KeyError("an error of a library") from late


def test_the_nearest_reason_that_has_words_is_told_and_not_what_had_failed_before():
    with pytest.raises(KeyError) as caught:
        broken_and_then_late()

    assert why(caught.value) == "it did not answer in time"
    assert why(KeyError("no reason")) == "KeyError"
