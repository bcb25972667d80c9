"""What becomes of what is sent to others: deliveries of each outcome, destinations that stop, and forwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lrs.kernel import outbound
from lrs.kernel.outbound import Blocked, Response, Silent, Unreachable
from lrs.kernel.times import DAY, HOUR, MINUTE, SECOND
from lrs.outbox import deliveries, destinations, listing
from lrs.outbox.channel import Channel, Destination, End, Message, Outcome, Undeliverable, Unneeded, by_name
from lrs.outbox.deliveries import Delivery
from lrs.outbox.schedule import next_try
from lrs.storage import Record
from lrs.transfer import batch, forwards, request
from lrs.transfer.batch import meets, next_batch
from lrs.transfer.forwards import Filter, Forward, forward_of
from lrs.transfer.request import Call, send
from tests.matching.world import deliver
from tests.told.scene import Scene
from tests.told.story import Story, inline, tried

WEDNESDAY = 1_795_262_400_000_000
ARRIVED = Outcome(End.DELIVERED, "answered 202", 202)
ANSWERS: dict[str, Outcome | Exception] = {
    "arrives": ARRIVED,
    "busy": Outcome(End.LATER, "answered 503", 503),
    "busy-for-an-hour": Outcome(End.LATER, "answered 429", 429, "3600"),
    "no-answer": Unreachable("no answer within 20 s"),
    "fails": Outcome(End.FAILED, "answered 500", 500),
    "refuses": Outcome(End.REFUSED, "answered 400: no such bird", 400),
    "may-not-be-called": Blocked("10.0.0.1 is not public"),
    "denies": Outcome(End.DENIED, "answered 401", 401),
    "gone": Outcome(End.GONE, "it answered 410 Gone", 410),
}


class Loft(Scene):
    """Sends by a channel of its own: what becomes of a delivery is *answers* by the name of its destination."""

    def __init__(self, folder: Path) -> None:
        self.answers, self.said = dict(ANSWERS), list[str]()
        self.channel = Channel("pigeon", self._compose, options=(), resume="lrs pigeons resume {id}")
        self.channels = by_name(self.channel)
        super().__init__(folder, ("delivery", "destination", "delivery-turn"))

    def work(self) -> None:
        deliver(self.tenant, getattr(self, "channels", {}))
        self.story.extend(f"    sent: {one}" for one in self.said)
        self.said.clear()

    def queue(self, to: str, id: str, **more: Any) -> None:
        content = msgspec.json.encode({"person": "ann"})
        one = Delivery(f"{to} {id}", "pigeon", to, content, what=f"letter {id}", **more)
        self.write(lambda tx: deliveries.queue(tx, one, self.clock()))

    def listed(self, to: str) -> None:
        for one in listing.sent_to(self.tenant, self.channels, to):
            self.story.say(f"    listed: {inline({name: value for name, value in one.items() if value is not None})}")
        for one in listing.listed_destinations(self.tenant, self.channels):
            if one["name"] == to:
                self.story.say(f"    {inline({name: value for name, value in one.items() if value is not None})}")

    def _compose(self, _: Any, record: Record, destination: Destination) -> Message:
        what = record.meta["what"]
        if what == "letter unneeded":
            raise Unneeded(deliveries.SUPERSEDED, "a later letter says it")
        if what == "letter impossible":
            raise Undeliverable("there is no ink")
        return Message(lambda _: self._sent(destination.id, record.id))

    def _sent(self, to: str, id: str) -> Outcome:
        self.said.append(id)
        answer = self.answers[to]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_becomes_of_deliveries(tmp_path: Path, told: Any, draws: Any) -> None:
    assert draws
    loft = Loft(tmp_path)
    for to in ANSWERS:
        loft.story.head(to)
        destinations.add(loft.tenant, loft.channel, to, "https://coop.example", by="test")
        loft.given(lambda: None)
        loft.act(
            "two, the second after the first", lambda to=to: [loft.queue(to, id, order="ann") for id in ("1", "2")]
        )
        loft.listed(to)
        loft.story.say(f"    fate: {[listing.fate_of(loft.tenant, f'{to} {id}') for id in ('1', '2', '3')]}")
        for wait in (4 * SECOND, SECOND, 5 * MINUTE, HOUR):
            loft.clock.now += wait
            loft.act(f"{wait // SECOND} s later", lambda: None)
        loft.answers[to] = ARRIVED
        loft.act("resent", lambda to=to: listing.resend(loft.tenant, f"{to} 1", by="test"))
        loft.act("resumed", lambda to=to: destinations.resume(loft.tenant, loft.channel, to, by="test"))
        loft.act("all that were given up", lambda: listing.resend_all(loft.tenant, loft.channels, by="test"), told=str)
        loft.act("no more", lambda to=to: destinations.remove(loft.tenant, loft.channel, to, by="test"))
        loft.act("one more", lambda to=to: loft.queue(to, "3"))
        loft.listed(to)
    loft.audited()
    told(str(loft.story))


def test_deliveries_that_wait_end_unsent_or_are_given_up_in_time(tmp_path: Path, told: Any, draws: Any) -> None:
    assert draws
    loft = Loft(tmp_path)
    for to in ("busy", "arrives"):
        destinations.add(loft.tenant, loft.channel, to, "https://coop.example", by="test")
    loft.given(lambda: None)
    loft.story.head("what is not sent")
    for id in ("unneeded", "impossible"):
        loft.act(id, lambda id=id: loft.queue("arrives", id))
    loft.listed("arrives")
    loft.story.head("given up after the last try")
    loft.act("first", lambda: loft.queue("busy", "1"))
    for _ in range(10):
        loft.clock.now += DAY
        loft.act("a day later", lambda: None)
    loft.listed("busy")
    loft.story.head("paused, discarded")
    loft.act("paused", lambda: destinations.pause(loft.tenant, loft.channel, "arrives", by="test"))
    for id in ("4", "5", "6"):
        loft.act(id, lambda id=id: loft.queue("arrives", id, order="ann"))
    loft.listed("arrives")
    loft.act("one discarded", lambda: listing.discard(loft.tenant, "arrives 4", by="test"))
    loft.act("one there is not", lambda: listing.discard(loft.tenant, "arrives 9", by="test"))
    loft.act("one that waits is resent", lambda: listing.resend(loft.tenant, "arrives 6", by="test"))
    loft.act("ten days later", lambda: setattr(loft.clock, "now", loft.clock.now + 10 * DAY))
    loft.act("resumed", lambda: destinations.resume(loft.tenant, loft.channel, "arrives", by="test"))
    loft.act("discarded after it arrived", lambda: listing.discard(loft.tenant, "arrives 5", by="test"))
    loft.story.head("one that waits for a named one")
    loft.act("awaited", lambda: loft.queue("busy", "7", awaited=True))
    loft.act("waits", lambda: loft.queue("busy", "8", after="busy 7", waits="waits for letter 7"))
    loft.act("waits for one that nobody waits for", lambda: loft.queue("busy", "9", after="arrives 5"))
    loft.act("withdrawn", lambda: loft.write(lambda tx: deliveries.withdraw(tx, "busy 7", "not so")))
    loft.listed("busy")
    for about in (["ann"], ["ben"], ["ann", "ben"]):
        found = listing.about(loft.tenant, loft.channels, about, limit=3)
        loft.story.say(f"about {about}: {[one['id'] for one in found]}")
    loft.story.say(f"failed: {[one['id'] for one in listing.failed(loft.tenant, loft.channels, limit=1)]}")
    told(str(loft.story))


def test_when_a_failed_call_is_made_again(told: Any) -> None:
    story = Story()
    for jitter in (0.0, 0.5, 1.0):
        story.head(f"jitter {jitter}")
        for tries in range(10):
            waits = [next_try(tries, WEDNESDAY, asked, jitter) for asked in (None, "7", "7200", "999999", "soon")]
            seconds = [None if one is None else round((one - WEDNESDAY) / SECOND, 3) for one in waits]
            story.say(f"after {tries + 1} failed: {seconds}")
    told(str(story))


PASSED, FAILED, VOIDED = (f"http://adlnet.gov/expapi/verbs/{one}" for one in ("passed", "failed", "voided"))
GOWNING, ASEPTIC = "https://vle.example/gowning", "https://vle.example/aseptic"
STATEMENTS: dict[str, tuple[str, str, Any]] = {
    "passed gowning": ("vle", PASSED, {"id": GOWNING}),
    "failed gowning": ("vle", FAILED, {"id": GOWNING, "objectType": "Activity"}),
    "passed aseptic at the centre": ("centre", PASSED, {"id": ASEPTIC}),
    "passed, about somebody": ("vle", PASSED, {"mbox": "mailto:a@b.example", "objectType": "Agent"}),
    "refers to gowning": ("vle", PASSED, {"id": "passed gowning", "objectType": "StatementRef"}),
    "voids passed gowning": ("centre", VOIDED, {"id": "passed gowning", "objectType": "StatementRef"}),
    "voids what is not here": ("vle", VOIDED, {"id": "nothing", "objectType": "StatementRef"}),
    "voids it, from there": ("national", VOIDED, {"id": "passed gowning", "objectType": "StatementRef"}),
    "passed gowning, 2.0": ("vle", PASSED, {"id": GOWNING}),
}
FILTERS = {
    "everything": Filter(),
    "passed": Filter(verbs=(PASSED,)),
    "passed or failed": Filter(verbs=(PASSED, FAILED)),
    "gowning": Filter(activities=(GOWNING,)),
    "passed aseptic": Filter(verbs=(PASSED,), activities=(ASEPTIC,)),
    "of vle": Filter(sources=("vle",)),
    "of others": Filter(sources=("other",)),
    "not from there": Filter(without=("national",)),
    "not of vle": Filter(without=("vle", "national")),
    "failed, of vle, not from there": Filter((FAILED,), (), ("vle",), ("national",)),
}
ADDRESSES = [
    "https://lrs.example/xapi",
    "https://lrs.example/xapi/",
    "https://lrs.example/xapi/statements",
    "https://lrs.example/xapi?a=b",
    "https://lrs.example/xapi#a",
    "https://skills.example.org/xapi",
    "https://skills.example.org/t/default/xapi/statements",
    "https://skills.example.org/t/other/xapi",
]


def test_what_is_forwarded_and_how_much_at_once(tmp_path: Path, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, story = Scene(tmp_path, ()), Story()

    def keep(tx: Any) -> None:
        for id, (source, verb, target) in STATEMENTS.items():
            meta = {"source": source, "version": "2.0.0" if id.endswith("2.0") else "1.0.3"}
            meta |= {"voids": True, "refers": target["id"]} if verb == VOIDED else {}
            body = json.dumps({"id": id, "verb": {"id": verb}, "object": target}).encode()
            tx.insert(Record("statement", id, body, meta))

    scene.write(keep)
    records = sorted(scene.store.get_many("statement", STATEMENTS).values(), key=lambda one: one.seq)
    for name, wanted in FILTERS.items():
        story.head(name)
        story.extend(f"- {one.id}" for one in records if meets(scene.store, one, wanted))
    story.head("how many at once")
    places = {record.seq: place for place, record in enumerate(records)}
    for name, limits, begun in (
        ("all of one version", {}, {}),
        ("at most 3", {"MOST": 3}, {}),
        ("one of 8 is refused", {}, {"suspect": 8}),
        ("one of 3 is refused", {}, {"suspect": 3}),
        ("this one is refused", {}, {"suspect": 1}),
        ("two fit", {"MOST_BYTES": len(records[0].body) + len(records[1].body)}, {}),
        ("not even one fits", {"MOST_BYTES": 1}, {}),
        ("after the seventh", {}, {"position": records[6].seq}),
        ("after all", {}, {"position": records[-1].seq}),
    ):
        with monkeypatch.context() as patch:
            for limit, value in limits.items():
                patch.setattr(batch, limit, value)
            found = next_batch(scene.store, Forward(**begun))
        upto = places.get(found.until, "nothing")
        story.say(f"- {name}: {[one.id for one in found.records]} up to {upto}, {found.records and found.version}")
    few = next_batch(scene.store, Forward(Filter(sources=("centre",))))
    story.say(f"- of the centre: {[one.id for one in few.records]} up to {places[few.until]}")
    story.head("where to, and since when")
    for address in ADDRESSES:
        story.say(f"- {address}: {tried(lambda one=address: forwards.accept(scene.tenant, one, {})[0], str)}")
    for since in ("2026-11-21", "2026-11-21T09:00:00Z", "2026-11-21T09:00:00+01:00", "yesterday", "2026-13-01", ""):
        said = tried(lambda one=since: forwards.accept(scene.tenant, ADDRESSES[0], {"since": one})[1])
        story.say(f"- since {since}: {said}")
    told(str(story))


def test_a_forward_that_goes_on_halves_sets_apart_and_pauses(tmp_path: Path, told: Any, draws: Any) -> None:
    assert draws
    scene = Scene(tmp_path, ("destination", "delivery"), {"destination": _place})

    def keep(tx: Any) -> None:
        for number in range(8):
            body = json.dumps({"id": str(number), "verb": {"id": PASSED}, "object": {"id": GOWNING}}).encode()
            tx.insert(Record("statement", f"{number}", body, {"source": "vle", "version": "1.0.3"}))

    scene.write(keep)
    seqs = {record.seq: record.id for record in scene.store.get_many("statement", map(str, range(8))).values()}
    from lrs.composition.channels import CHANNELS  # noqa: PLC0415 (the table of all rooms)

    channel = CHANNELS["xapi"]
    access = ("key", "secret")
    destinations.add(scene.tenant, channel, "national", "https://lrs.example/xapi", access=access, by="test")
    list(scene.changes.new())
    outcomes = {
        "taken": ARRIVED,
        "refused": Outcome(End.REFUSED, "answered 400", 400),
        "fails": Outcome(End.FAILED, "no answer", None),
    }
    steps = ["refused", "refused", "refused", "refused", "taken", "refused", "taken", "taken", "taken", "taken"]
    for step in steps:
        found = scene.store.get("destination", "xapi/national")
        assert found
        destination = destinations.read(found)
        wanted = next_batch(scene.store, forward_of(destination))
        message = channel.compose(scene.tenant, found, destination) if wanted.records else None
        sent = [seqs[one.seq] for one in wanted.records]
        if message is None or message.advance is None:
            scene.story.say(f"nothing is left: {sent}")
            continue
        scene.act(
            f"{step}: {sent}",
            lambda step=step, message=message: scene.write(lambda tx: message.advance(tx, outcomes[step])),
        )
    told(str(scene.story))


def _place(record: Record) -> dict[str, Any]:
    one = destinations.read(record)
    forward = forward_of(one)
    told = {"suspect": forward.suspect, "refused": forward.refused, "state": one.state, "reason": one.reason}
    return told | {"keys": len(record.keys), "moved": forward.position}


def test_what_other_stores_answer(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    kept = b'{"id":"1","actor":{"mbox":"mailto:a@b.example"},"verb":{"id":"https://v.example"},"object":{"id":"https://o.example"}}'
    other = kept.replace(b"https://o.example", b"https://p.example")
    answers: dict[str, Any] = {str(status): Response(status, {"retry-after": "60"}, b" No \n way ") for status in (
        200, 204, 301, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503
    )}  # fmt: skip
    answers |= {
        "blocked": Blocked("10.0.0.1"),
        "silent": Silent("no answer within 20 s"),
        "long": Response(400, {}, b"x" * 400),
    }
    for count in (1, 2):
        story.head(f"{count} at once")
        call = Call(
            "https://lrs.example/xapi/statements",
            {"content-length": "9", "authorization": "Basic a", "x-experience-api-version": "1.0.3"},
            b"[]",
            (kept,) * count,
        )
        for name, answer in answers.items():
            if count == 1 and name == "409":
                continue
            monkeypatch.setattr(request, "_post", lambda *_, answer=answer: given(answer))
            story.say(f"- {name}: {inline(tried(lambda call=call: send(call, None), _outcome))}")  # type: ignore[arg-type]
    story.head("409 for one, by what it shows")
    monkeypatch.setattr(request, "_post", lambda *_: Response(409))
    shows = {
        "the same": [(200, kept)],
        "another": [(200, other)],
        "voided": [(404, b""), (200, kept)],
        "nothing": [(404, b""), (404, b"")],
        "no JSON": [(200, b"<p>")],
        "a list": [(200, b"[]")],
        "denied": [(401, b"")],
        "busy": [(404, b""), (503, b"")],
    }
    for name, some in shows.items():
        turns = iter(some)
        asked: list[str] = []

        def ask(url: str, headers: Any, _: Any, turns: Any = turns, asked: list[str] = asked) -> Response:
            asked.append(f"{url} {sorted(headers)}")
            status, body = next(turns)
            return Response(status, {}, body)

        monkeypatch.setattr(outbound, "ask", ask)
        story.say(f"- {name}: {_outcome(send(call_of(kept), None))}")  # type: ignore[arg-type]
        story.extend(f"    asked {one}" for one in asked)
    sizes = (0, 9, 1024 * 1024, 10 * 1024 * 1024, 500 * 1024 * 1024)
    for size in sizes:
        call = call_of(kept, size)
        story.say(f"{size} bytes take {call.seconds:.1f} s, {call.longest:.1f} s with two questions")
    told(str(story))


def given(answer: Response | Exception) -> Response:
    if isinstance(answer, Exception):
        raise answer
    return answer


def call_of(text: bytes, size: int = 9) -> Call:
    headers = {
        "content-length": str(size),
        "authorization": "Basic a",
        "x-experience-api-version": "1.0.3",
        "content-type": "application/json",
    }
    return Call("https://lrs.example/xapi/statements", headers, b"[]", (text,))


def _outcome(one: Outcome) -> str:
    return (
        f"{one.end.value} {one.status}: {one.reason} {f'(after {one.retry_after})' if one.retry_after else ''}".strip()
    )
