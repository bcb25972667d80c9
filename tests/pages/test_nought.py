"""A score of nought is a score, and nothing is told that was not said: wherever one is put into words."""

from types import SimpleNamespace

from adapters.lms.courses.structure import AssignableUnit
from adapters.lms.pages.learner_view import _unit
from adapters.lms.sessions.session import Registration, UnitProgress
from lrs.competency.witnessed import _Score
from lrs.competency.witnessed import _score as witnessed
from lrs.kernel.printing import cell
from lrs.kernel.tables.json_rows import _cell
from lrs.pages.me.data_view import _evidence, _score
from lrs.pages.questions_view import _told
from lrs.pages.told import ResultTold, ScoreTold
from lrs.pages.views import _finding
from lrs.web.listing import _text
from tests.rows import each_of

UNIT = AssignableUnit("https://p.example/0", {"en": "Unit"}, {}, "x", "https://lrs.example/0", move_on="Passed")


def part(score):
    found = Registration("r", 1, "1", 1, {}, 0, units={UNIT.activity: UnitProgress(attempted=True, score=score)})
    return _unit(found, UNIT, 0)["score"]


def finding(score, threshold):
    named = {"statement": "s", "source": "vle", "activity": "a", "timestamp": "2026-11-21T10:00:00Z"}
    one = SimpleNamespace(**named, score=score, threshold=threshold, counted=True, reason=None)
    return _finding(one, "Europe/London", lambda _: "A")["score"].replace("\N{NO-BREAK SPACE}", " ")


@each_of(
    "told, expected",
    [
        (part(0.0), "0 %"),
        (part(None), ""),
        (ResultTold(ScoreTold(raw=0, max=10)).said, "0 of 10"),
        (ResultTold(ScoreTold(scaled=0.0), success=False).said, "scaled 0, no success"),
        (ResultTold().said, ""),
        (witnessed(_Score(raw=0, max=10)), "0 of 10"),
        (witnessed(_Score(raw=5, scaled=0)), "0"),
        (witnessed(_Score()), ""),
        (_score({"raw": 0, "max": 10}), "0/10"),
        (_score({"raw": 5, "scaled": 0}), "0"),
        (_score({}), ""),
        (_evidence({"source": "vle", "score": 0}).replace("\N{NO-BREAK SPACE}", " "), "vle, 0 %"),
        (_told(0.0, None).replace("\N{NO-BREAK SPACE}", " "), "0 %. Counts."),
        (_told(None, None), "No score. Counts."),
        (finding(0.0, 0.0), "0 % (asked: 0 %)"),
        (finding(None, 0.0), "No score"),
        (cell(0), "0"),
        (cell(None), "-"),
        (_cell(0), "0"),
        (_cell(None), ""),
        (_text(0), "0"),
        (_text(None), ""),
    ],
)
def test_nought_is_told_as_nought_and_nothing_as_nothing(told, expected):
    assert told == expected
