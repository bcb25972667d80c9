"""Makes the dictionary by which bodies are compressed: of made-up statements, in shapes that common software sends.

Run once for each dictionary that is released; what it wrote never changes. Names and ids are drawn by chance. The
statements of the bench are not among its shapes: they are what it is measured by.

python -m tests.contract.frozen.dictionary FILE
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

NUMBER, SIZE, COUNT, LEVEL = 1, 8_192, 8_000, -7
Json = dict[str, Any]
ADL = "http://adlnet.gov/expapi"
CMI5 = "https://w3id.org/xapi/cmi5"
VIDEO = "https://w3id.org/xapi/video"


def _listed(text: str) -> list[str]:
    return text.split()


VERBS = _listed(
    "experienced attempted completed passed failed answered initialized terminated suspended resumed launched attended"
    " registered scored progressed interacted commented voided mastered imported exited preferred responded asked"
)
OTHER_VERBS = _listed(
    f"{VIDEO}/verbs/played {VIDEO}/verbs/paused {VIDEO}/verbs/seeked https://w3id.org/xapi/adl/verbs/satisfied"
    " https://w3id.org/xapi/adl/verbs/abandoned https://w3id.org/xapi/adl/verbs/waived http://id.tincanapi.com/verb/viewed"
    " http://id.tincanapi.com/verb/downloaded http://id.tincanapi.com/verb/earned http://activitystrea.ms/schema/1.0/open"
    " http://activitystrea.ms/schema/1.0/submit https://w3id.org/xapi/acrossx/verbs/evaluated"
    " https://w3id.org/xapi/dod-isd/verbs/navigated https://brindlewaye.com/xAPITerms/verbs/loggedin/"
)
TYPES = _listed(
    "assessment course module lesson question cmi.interaction performance simulation media file link meeting objective"
    " profile interaction attempt"
)
OTHER_TYPES = _listed(
    f"{VIDEO}/activity-type/video http://id.tincanapi.com/activitytype/lms/course http://id.tincanapi.com/activitytype/lms"
    " http://id.tincanapi.com/activitytype/source http://id.tincanapi.com/activitytype/site"
    " http://activitystrea.ms/schema/1.0/page http://vocab.xapi.fr/activities/quiz"
    " http://xapi.jisc.ac.uk/event_timetabled https://w3id.org/engraft/activity-types/apprenticeship-standard"
)
QUESTIONS = _listed("choice true-false fill-in long-fill-in matching numeric likert sequencing performance other")
PARTS = _listed("scorm resource assign forum page url lesson hvp book quiz")
H5P = _listed("MultiChoice QuestionSet InteractiveVideo CoursePresentation TrueFalse DragText Blanks")
PLATFORMS = ("Moodle", "LMS", "Articulate Storyline", "Captivate", "H5P", "Totara", "Canvas")
LANGUAGES = (*["en", "en-GB", "en-US"] * 4, "cy", "und", "de", "fr")
WORDS = _listed(
    "safety introduction unit module topic practice assessment final quiz practical review workplace learning data care"
    " quality food hygiene fire first aid manual handling health induction part section chapter skills level training"
    " digital leadership maths English science"
)
HOSTS = _listed("lms.example.com vle.example.ac.uk moodle.example.org learn.example.net content.example.co.uk")
HOMES = ("https://skills.example.org", "http://localhost", "https://lrs.example.org.uk", "http://127.0.0.1:8000")
MOODLE = {
    "id": "http://moodle.org",
    "definition": {"type": "http://id.tincanapi.com/activitytype/source", "name": {"en": "Moodle"}},
}
PLUGIN = {
    "https://moodle.org/": "4.5.2 (Build: 20250210)",
    "https://github.com/xAPI-vle/moodle-logstore_xapi": "v4.8.0",
    "event_name": "\\mod_quiz\\event\\attempt_submitted",
    "event_function": "\\src\\transformer\\events\\mod_quiz\\attempt_submitted",
}


class Shapes:
    """Statements by chance, all of one software: *seed* decides."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.pick = self.chance.choice
        self.host = self.pick(HOSTS)
        self.site = f"{self.pick(('https', 'https', 'http'))}://{self.host}"

    def body(self) -> bytes:
        """A statement as it is stored: what the store sets, then what was sent."""
        sent = self.statement()
        home = {"homePage": f"{self.pick(HOMES)}/t/{self.pick(('default', 'default', self.hexes(5)))}"}
        named = {"objectType": "Agent", "name": self.words(1), "account": {**home, "name": self.uuid()}}
        authority = self.pick((named, named, {"account": {**home, "name": self.words(1).lower()}}))
        stored = self.day().isoformat(timespec="microseconds").replace("+00:00", "Z")
        put = {"stored": stored, "authority": authority}
        if "version" not in sent:
            put["version"] = self.pick(("1.0.0", "1.0.0", "2.0.0", "1.0.3"))
        between = self.pick(((",", ":"), (",", ":"), (",", ":"), (",", ":"), (", ", ": ")))
        text = json.dumps(sent, separators=between, ensure_ascii=self.is_so(0.5), sort_keys=self.is_so(0.2))
        return (json.dumps(put, separators=(",", ":"))[:-1] + "," + text[1:]).encode()

    def statement(self) -> Json:
        sent = {"id": self.uuid(), "actor": self.agent(), "verb": self.verb(), "object": self.activity(0.9)}
        if self.is_so(0.06):
            sent["object"] = {"objectType": "StatementRef", "id": self.uuid()}
        more = {"result": self.result(), "context": self.context(), "timestamp": self.time(), "version": "1.0.3"}
        sent |= self.some(more, {"result": 0.75, "context": 0.85, "timestamp": 0.9, "version": 0.25})
        return self.shuffled(sent, 0.3)

    def agent(self) -> Json:
        names = (str(self.chance.randint(1, 10**7)), self.uuid(), self.hexes(8))
        account = {"account": self.shuffled({"homePage": self.site, "name": self.pick(names)}, 0.2)}
        uln = {"account": {"homePage": "https://www.gov.uk/uln", "name": str(self.chance.randint(10**9, 10**10 - 1))}}
        mail = {"mbox": f"mailto:{self.hexes(6)}.{self.hexes(5)}@{self.host}"}
        name = self.pick((account, account, account, mail, mail, mail, uln, {"mbox_sha1sum": self.hexes(40)}))
        more = {"name": f"{self.hexes(5).capitalize()} {self.hexes(6).capitalize()}", "objectType": "Agent"}
        return self.shuffled(self.some(more, {"name": 0.6, "objectType": 0.5}) | name, 0.4)

    def verb(self) -> Json:
        id = self.pick(OTHER_VERBS) if self.is_so(0.2) else f"{ADL}/verbs/{self.pick(VERBS)}"
        display = {"display": self.told(id.rstrip("/").rpartition("/")[2])}
        return self.shuffled({"id": id} | self.some(display, {"display": 0.8}), 0.2)

    def activity(self, deep: float) -> Json:
        whole = {"objectType": "Activity", "id": self.address(), "definition": self.definition()}
        return self.shuffled(self.some(whole, {"objectType": 0.5, "definition": deep}), 0.2)

    def definition(self) -> Json:
        kind = self.pick(OTHER_TYPES) if self.is_so(0.4) else f"{ADL}/activities/{self.pick(TYPES)}"
        whole: Json = {"type": kind, "name": self.told(self.words(4))}
        number = self.pick((self.chance.randint(1, 999), self.uuid()))
        whole |= self.some(
            {
                "description": self.told(f"{self.words(9)}."),
                "moreInfo": f"{self.site}/about/{self.hexes(5)}",
                "extensions": {f"http://h5p.org/x-api/h5p-{self.pick(('local-content-id', 'subContentId'))}": number},
            },
            {"description": 0.3, "moreInfo": 0.2, "extensions": 0.15},
        )
        return self.shuffled(whole | (self.question() if self.is_so(0.15) else {}), 0.5)

    def question(self) -> Json:
        kind = self.pick(QUESTIONS)
        right = self.pick((f"{self.hexes(2)}[,]{self.hexes(2)}", "true", "false", self.words(2).lower(), "1[:]10"))
        asked = {
            "type": f"{ADL}/activities/cmi.interaction",
            "interactionType": kind,
            "correctResponsesPattern": [right],
        }
        if kind in {"choice", "sequencing"}:
            asked["choices"] = [{"id": f"choice_{n}", "description": self.told(self.words(5))} for n in range(3)]
        return asked

    def result(self) -> Json:
        most = self.pick((100, 100, 10, 5, 1, 20, self.chance.randint(2, 60)))
        raw = self.chance.randint(0, most)
        score = {"scaled": round(raw / most, 2), "raw": self.pick((raw, float(raw))), "min": 0, "max": most}
        seconds = self.chance.randint(1, 7_200)
        length = (f"PT{seconds}S", f"PT{seconds // 60}M{seconds % 60}S", f"PT{seconds // 3_600}H{seconds % 60}M0S")
        at = round(self.chance.random() * 900, 3)
        told = {
            f"{VIDEO}/extensions/time": at,
            f"{VIDEO}/extensions/progress": round(self.chance.random(), 3),
            f"{VIDEO}/extensions/played-segments": f"0[.]{at}",
            f"{CMI5}/result/extensions/progress": raw,
            f"{CMI5}/result/extensions/reason": "Passed",
        }
        whole = {
            "score": self.shuffled(self.some(score, dict.fromkeys(score, 0.9)), 0.4),
            "success": raw * 2 > most,
            "completion": self.is_so(0.8),
            "duration": self.pick(length),
            "response": self.pick((self.words(3), self.hexes(2), "true", "1[,]2")),
            "extensions": self.some(told, dict.fromkeys(told, 0.3)),
        }
        often = {"score": 0.75, "success": 0.7, "completion": 0.7, "duration": 0.6, "response": 0.2, "extensions": 0.2}
        return self.shuffled(self.some(whole, often), 0.4)

    def context(self) -> Json:
        whole = {
            "registration": self.uuid(),
            "contextActivities": self.around(),
            "instructor": self.agent(),
            "team": {"objectType": "Group", "name": self.words(2), "account": {"homePage": self.site, "name": "1"}},
            "platform": self.pick(PLATFORMS),
            "language": self.pick(LANGUAGES),
            "revision": str(self.chance.randint(1, 9)),
            "extensions": self.details(),
        }
        often = {"registration": 0.6, "contextActivities": 0.9, "instructor": 0.25, "team": 0.1, "platform": 0.35}
        often |= {"language": 0.4, "revision": 0.15, "extensions": 0.45}
        return self.shuffled(self.some(whole, often), 0.5)

    def around(self) -> Json:
        h5p = {"id": f"http://h5p.org/libraries/H5P.{self.pick(H5P)}-1.{self.chance.randint(1, 24)}"}
        profiles = (f"{CMI5}/context/categories/cmi5", f"{CMI5}/context/categories/moveon", VIDEO)
        known = [{"id": id} for id in (*profiles, "https://w3id.org/xapi/scorm")]
        whole = {
            "parent": [self.activity(0.5)],
            "grouping": [self.activity(0.5) for _ in range(self.pick((1, 1, 2)))],
            "category": [self.pick((*known, h5p | {"objectType": "Activity"}, MOODLE, self.activity(0.4)))],
            "other": [self.activity(0.4)],
        }
        return self.some(whole, {"parent": 0.5, "grouping": 0.6, "category": 0.55, "other": 0.15})

    def details(self) -> Json:
        content = f"{self.site}/content/{self.hexes(6)}/index.html"
        whole = {
            f"{CMI5}/context/extensions/sessionid": self.uuid(),
            f"{CMI5}/context/extensions/masteryscore": 0.8,
            f"{CMI5}/context/extensions/launchmode": "Normal",
            f"{CMI5}/context/extensions/launchurl": content,
            f"{CMI5}/context/extensions/moveon": self.pick(("Passed", "Completed", "CompletedOrPassed")),
            f"{VIDEO}/extensions/session-id": self.uuid(),
            f"{VIDEO}/extensions/length": self.chance.randint(10, 3_600),
            "http://lrs.learninglocker.net/define/extensions/info": PLUGIN,
            "http://id.tincanapi.com/extension/ip-address": f"192.0.2.{self.chance.randint(1, 250)}",
            "https://w3id.org/engraft/extensions/attempt": self.chance.randint(1, 3),
            f"{self.site}/extensions/{self.pick(WORDS)}": self.pick((self.chance.randint(0, 99), self.hexes(6), True)),
        }
        return self.some(whole, dict.fromkeys(whole, 0.25))

    def address(self) -> str:
        number = self.chance.randint(1, 9_999)
        course = f"course-v1:{self.hexes(4)}+{self.hexes(5)}+2025"
        block = f"block-v1:{self.hexes(4)}+type@problem+block@{self.hexes(32)}"
        ends = (
            f"/course/view.php?id={number}",
            *[f"/mod/{self.pick(PARTS)}/view.php?id={number}"] * 2,
            f"/xapi/activities/{self.uuid()}",
            f"/activities/{number}",
            f"/courses/{self.hexes(6)}",
            f"/course/{number}/{self.pick(('unit', 'lesson', 'slide', 'page'))}/{self.chance.randint(1, 40)}",
            f"/courses/{course}/xblock/{block}",
        )
        return self.site + self.pick(ends)

    def day(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.chance.getrandbits(46))

    def time(self) -> str:
        precise, day = self.pick(("milliseconds", "milliseconds", "seconds", "microseconds")), self.day()
        return day.isoformat(timespec=precise).replace("+00:00", self.pick(("Z", "Z", "Z", "+00:00", "+01:00")))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def hexes(self, count: int) -> str:
        return f"{self.chance.getrandbits(4 * count):0{count}x}"

    def words(self, most: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, most))).capitalize()

    def told(self, text: str) -> Json:
        return {self.pick(LANGUAGES): text}

    def is_so(self, often: float) -> bool:
        return self.chance.random() < often

    def some(self, whole: Json, often: Mapping[str, float]) -> Json:
        return {name: value for name, value in whole.items() if self.is_so(often.get(name, 1))}

    def shuffled(self, whole: Json, often: float) -> Json:
        items = list(whole.items())
        if self.is_so(often):
            self.chance.shuffle(items)
        return dict(items)


def main(path: str) -> None:
    samples = [Shapes(seed).body() for seed in range(COUNT)]
    Path(path).write_bytes(zstandard.train_dictionary(SIZE, samples, level=LEVEL, dict_id=NUMBER).as_bytes())


if __name__ == "__main__":
    main(sys.argv[1])
