"""What is costly is worked out once for each version of what it follows from."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lrs.kernel.memo import Memo


def test_a_value_is_worked_out_once_for_each_version_of_each_name():
    kept, made = Memo(most=2), []

    def get(name, version):
        return kept.get(name, version, lambda: made.append((name, version)) or len(made))

    assert [get("a", 1), get("b", 1), get("a", 1), get("a", 2), get("a", 1)] == [1, 2, 1, 3, 4]
    assert get("c", 1) == 5, "b was asked for least lately and is forgotten"
    assert get("a", 1) == 4
    assert get("b", 1) == 6
    assert len(kept) == 2


def test_what_is_kept_weighs_no_more_than_is_said_and_one_value_is_kept_whatever_it_weighs():
    kept = Memo(most=5, weigh=len)

    for name, value in (("a", "xx"), ("b", "xxx"), ("a", "xx"), ("c", "x")):
        kept.get(name, value, lambda value=value: value)
    after = len(kept)
    kept.get("d", 1, lambda: "x" * 9)

    assert (after, len(kept)) == (2, 1), "b was asked for least lately"
    assert kept.get("d", 1, lambda: "again") == "x" * 9
    assert kept.get("d", 2, lambda: "x") == kept.get("e", 1, lambda: "x") == "x"
    assert len(kept) == 2


def test_who_asks_while_it_is_worked_out_waits_for_it_and_other_names_do_not_wait():
    kept, begun, may_end = Memo(), threading.Event(), threading.Event()

    def slowly():
        begun.set()
        assert may_end.wait(60)
        return object()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "a", 1, slowly)
        assert begun.wait(60)
        second = pool.submit(kept.get, "a", 1, object)
        assert kept.get("b", 1, lambda: "other") == "other"
        assert not second.done()
        may_end.set()
        assert first.result(60) is second.result(60)


def test_what_could_not_be_worked_out_is_tried_again_and_its_name_is_not_kept():
    kept = Memo(most=2)
    for name in range(5):
        with pytest.raises(ZeroDivisionError):
            kept.get(name, 1, lambda: 1 / 0)
    assert len(kept) == 0
    assert kept.get(0, 1, lambda: "now") == "now"


def test_where_a_new_version_could_not_be_worked_out_the_one_before_is_kept():
    kept = Memo()
    kept.get("a", 1, lambda: "before")
    with pytest.raises(ZeroDivisionError):
        kept.get("a", 2, lambda: 1 / 0)
    assert (kept.find("a", 1), kept.find("a", 2), kept.find("b", 1)) == ("before", None, None)


def test_what_is_forgotten_while_it_is_worked_out_is_kept_once_it_is_there():
    kept = Memo(most=1)

    def slowly():
        for other in "bcd":
            kept.get(other, 1, lambda: "other")
        return "late"

    kept.get("a", 1, slowly)

    assert kept.find("a", 1) == "late"
    assert len(kept) == 1
