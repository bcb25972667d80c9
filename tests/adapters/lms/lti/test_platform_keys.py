"""The keys of a platform: kept, fetched anew where that helps, and never more often than is good."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.lms.lti.launch_token import Rejected
from adapters.lms.lti.platform_keys import AGAIN, AT_ONCE, FAILED, FRESH, STALE, UNKNOWN, PlatformKeys
from lrs.access.oidc.documents import calling
from lrs.kernel.admission import Overloaded


class Keys:
    def __init__(self, world, platform, path):
        self.now = 0.0
        self.world, self.platform, self.path = world, platform, path
        self.kept = PlatformKeys(lambda: self.now)
        self.described = platform.described(jwks=platform.address + path)

    def find(self, kid="one"):
        return [one["kid"] for one in self.kept.find(self.world.tenant, self.described, kid)]

    @property
    def asked(self):
        return sum(one[1] == self.path for one in self.platform.asked)


@pytest.fixture
def keys(world, platform, request):
    made = Keys(world, platform, f"/keys-{request.node.name.__hash__()}")
    platform.publish(platform.key, path=made.path)
    return made


def test_keys_are_asked_for_once_an_hour(keys):
    keys.find()
    keys.now += FRESH - 1
    keys.find()
    first = keys.asked
    keys.now += 1
    keys.find()

    assert (first, keys.asked) == (1, 2)


def test_a_platform_says_for_how_long_its_keys_hold_within_bounds(keys, platform):
    platform.says(keys.path, {"keys": [platform.key.as_dict(private=False)]}, **{"cache-control": "max-age=1"})
    keys.find()
    keys.now += AGAIN - 1
    keys.find()
    first = keys.asked
    keys.now += 1
    keys.find()

    assert (first, keys.asked) == (1, 2)


def test_a_key_that_is_new_is_fetched_at_once_but_not_for_everybody_who_names_one(keys, platform):
    keys.find()
    platform.says(keys.path, {"keys": [platform.key.as_dict(private=False) | {"kid": "two"}]})
    rotated = keys.find("two")
    for number in range(20):
        keys.find(f"made up {number}")
    first = keys.asked
    keys.now += AGAIN - 1
    keys.find("made up")
    second = keys.asked
    keys.now += 1
    keys.find("made up")

    assert rotated == ["two"]
    assert (first, second, keys.asked) == (1 + UNKNOWN, 1 + UNKNOWN, 2 + UNKNOWN)


def test_known_keys_hold_for_a_day_while_the_platform_is_away(keys, platform):
    keys.find()
    platform.answers[keys.path] = (503, {}, b"")
    keys.now += STALE - 1
    found = keys.find()
    keys.now += 2
    with pytest.raises(Rejected, match="it answered 503 for its keys") as refused:
        keys.find()

    assert found == ["one"]
    assert refused.value.status == 503


@pytest.mark.parametrize(
    ("body", "says", "status"),
    [
        (b"<html>", "is no JSON", 502),
        (b'{"keys": []}', "its list of keys is none", 502),
        (b'{"keys": {}}', "its list of keys is none", 502),
        (b'{"keys": [' + b"{}," * 60 + b"{}]}", "its list of keys is none", 502),
        (b" " * (300 * 1024), "longer than 256 KiB", 502),
    ],
)
def test_what_is_no_list_of_keys_is_refused(keys, platform, body, says, status):
    platform.answers[keys.path] = (200, {}, body)

    with pytest.raises(Rejected, match=says) as refused:
        keys.find()

    assert refused.value.status == status


@pytest.mark.parametrize(
    ("address", "says"),
    [("https://10.0.0.1/jwks", "may not fetch its keys"), ("http://192.168.1.1/jwks", "may not fetch its keys")],
)
def test_keys_in_a_private_network_are_not_fetched(keys, platform, address, says):
    keys.described = platform.described(jwks=address)

    with pytest.raises(Rejected, match=says) as refused:
        keys.find()

    assert refused.value.status == 502


@pytest.mark.parametrize("is_known", [False, True])
def test_a_platform_that_does_not_answer_holds_up_no_sign_in_elsewhere(keys, platform, is_known):
    if is_known:
        keys.find()
        keys.now += FRESH
    answer, begun, goes = platform.answers[keys.path], threading.Semaphore(0), threading.Event()

    def slow(_):
        begun.release()
        goes.wait(4)
        return answer

    platform.answers[keys.path] = slow
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asking = [pool.submit(keys.find) for _ in range(AT_ONCE)]
        for _ in asking:
            begun.acquire()
        try:
            more = keys.find()
        except Overloaded:
            more = []
        with calling():
            goes.set()

    assert more == (["one"] if is_known else [])
    assert [one.result() for one in asking] == [["one"]] * AT_ONCE


def test_a_platform_whose_keys_cannot_be_fetched_is_not_asked_again_for_half_a_minute(keys, platform):
    whole = platform.answers[keys.path]
    platform.answers[keys.path] = (503, {}, b"")
    said = []
    for _ in range(3):
        with pytest.raises(Rejected) as refused:
            keys.find()
        said.append(str(refused.value))
    first = keys.asked
    platform.answers[keys.path] = whole
    keys.now += FAILED

    assert first == 1
    assert len(set(said)) == 1
    assert "it answered 503 for its keys" in said[0]
    assert keys.find() == ["one"]
