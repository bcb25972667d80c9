"""Tin Can and SCORM courses in a browser, inside a frame of another site. Made for ``make browser``.

What launches them is at 127.0.0.1 and content at default.localhost, which are two sites to a browser.
"""

import html
from contextlib import closing
from pathlib import Path

import pytest

from adapters.lms.sessions.session import latest_registration
from tests.adapters.lms.launched import PlatformClient, learner, verbs_of
from tests.adapters.lms.made import MANIFEST, TIN_CAN, zipped
from tests.browser.chromium import Chromium, Elsewhere, found
from tests.npm import packages
from tests.served import serving

HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no course was opened"),
    pytest.mark.timeout(600),
]
FRAME = """<!doctype html><title>Platform</title>
<style>body{{margin:0}}iframe{{width:100%;height:95vh;border:0}}</style>
<script>addEventListener("message", (event) => {{ console.log(...event.data); }});</script>
<iframe src="{src}" allow="autoplay"></iframe>"""
UNIT_OF_TIN_CAN = """<!doctype html><title>Unit</title><script src="tincan-min.js"></script><script>
const say = (...told) => top.postMessage(told, "*");
const tincan = new TinCan({ url: location.href });
const verb = (name) => ({ id: "http://adlnet.gov/expapi/verbs/" + name });
const result = { score: { raw: 8, min: 0, max: 10 }, success: true };
tincan.setState("bookmark", "page 2", { callback: (failed) => {
  tincan.sendStatement({ verb: verb("initialized") }, ([one]) => {
    tincan.sendStatement({ verb: verb("passed"), result }, ([two]) => {
      tincan.getState("bookmark", { callback: (wrong, state) => {
        say("tincan", [failed, one.err, two.err, wrong].filter((status) => status !== null).join(), state.contents);
      } });
    });
  });
} });
</script>"""
UNIT_OF_SCORM = """<!doctype html><title>Unit</title><script>
const say = (...told) => top.postMessage(told, "*");
let api = null;
for (let place = window; !api && place !== place.parent; place = place.parent) api = place.parent.API;
const put = (name, value) => api.LMSSetValue("cmi." + name, value);
say("begun", api.LMSInitialize(""), api.LMSGetValue("cmi.core.entry"), api.LMSGetValue("cmi.core.lesson_location"));
if (api.LMSGetValue("cmi.core.entry") === "ab-initio") {
  put("core.lesson_location", "page 3");
  put("suspend_data", "answers=1");
  put("core.lesson_status", "incomplete");
  put("core.exit", "suspend");
  put("core.session_time", "00:01:30.5");
} else {
  say("kept", api.LMSGetValue("cmi.suspend_data"), api.LMSGetValue("cmi.core.total_time"));
  put("interactions.0.id", "q1");
  put("interactions.0.type", "choice");
  put("interactions.0.correct_responses.0.pattern", "b");
  put("interactions.0.student_response", "a");
  put("interactions.0.result", "wrong");
  put("core.score.raw", "85");
  put("core.lesson_status", "passed");
  put("core.session_time", "00:00:30");
}
say("committed", api.LMSCommit(""));
say("finished", api.LMSFinish(""));
(async () => {
  while ((await fetch(parent.location.pathname + "/attempt")).status !== 410);
  say("over");
})();
</script>"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    scorm_again = packages(HERE) / "node_modules/scorm-again"
    folder = tmp_path_factory.mktemp("content")
    with serving(folder, content_url="http://{tenant}.localhost:PORT", scorm_again=scorm_again) as lrs:
        yield PlatformClient(lrs)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as made:
        yield made


@pytest.fixture(scope="module")
def elsewhere():
    with closing(Elsewhere()) as made:
        yield made


def bring(platform, content):
    answer = platform.ask("POST", "course", content=content, headers={"Content-Type": "application/zip"})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def open_in_frame(browser, platform, elsewhere, course, index=0, **asked):
    """Launches the unit in a frame of another site."""
    answer = platform.ask("POST", f"course/{course}/launch-url/{index}", json={"actor": learner("ann"), **asked})
    assert answer.status_code == 200, answer.text
    browser.forget()
    browser.open(
        elsewhere.page("/", FRAME.format(src=html.escape(answer.json()["url"]))).replace("localhost", "127.0.0.1")
    )


def registered(platform, course):
    store = platform.lrs.tenant.store
    return latest_registration(store, str(course), learner("ann"))


def test_a_tin_can_course_keeps_state_and_is_passed_in_a_frame_of_another_site(browser, platform, elsewhere):
    library = (packages(HERE) / "node_modules/tincanjs/build/tincan-min.js").read_bytes()
    held = {"tincan.xml": TIN_CAN, "index.html": UNIT_OF_TIN_CAN, "tincan-min.js": library}
    course = bring(platform, zipped(held))

    open_in_frame(browser, platform, elsewhere, course)
    browser.await_line("page 2")

    registration = registered(platform, course)
    assert browser.said == ["tincan", "", "page 2"]
    assert verbs_of(platform.lrs, registration.id) == ["launched", "initialized", "passed", "satisfied"]
    assert (registration.unit("https://publisher.example/tincan").score, registration.format) == (0.8, "tincan")


def test_a_scorm_course_is_suspended_resumed_and_passed_in_a_frame_of_another_site(browser, platform, elsewhere):
    course = bring(platform, zipped({"imsmanifest.xml": MANIFEST, "index.html": UNIT_OF_SCORM}))

    open_in_frame(browser, platform, elsewhere, course)
    browser.await_line("over")
    first, registration = list(browser.said), registered(platform, course)
    open_in_frame(browser, platform, elsewhere, course, reg=registration.id)
    browser.await_line("over")

    assert first == ["begun", "true", "ab-initio", "", "committed", "true", "finished", "true", "over"]
    assert browser.said == [
        *("begun", "true", "resume", "page 3", "kept", "answers=1", "00:01:30.5"),
        *("committed", "true", "finished", "true", "over"),
    ]
    assert verbs_of(platform.lrs, registration.id) == [
        *(
            "launched",
            "initialized",
            "suspended",
            "launched",
            "resumed",
            "responded",
            "completed",
            "passed",
            "satisfied",
        ),
        "terminated",
    ]
    (progress,) = registered(platform, course).units.values()
    assert (progress.passed, progress.score, progress.seconds) == (True, 0.85, {"Normal": 120.5})
