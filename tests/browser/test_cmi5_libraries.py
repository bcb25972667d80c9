"""Libraries that cmi5 content is made with, in a browser, inside a frame of another site. Made for ``make browser``.

What launches them is at 127.0.0.1 and content at default.localhost, which are two sites to a browser.
"""

from contextlib import closing

import pytest

from tests.adapters.lms.launched import PlatformClient, verbs_of
from tests.adapters.lms.made import block, package, structure, unit
from tests.browser.chromium import Chromium, Elsewhere, found
from tests.browser.test_other_content import bring, open_in_frame, registered
from tests.interop.conftest import HERE
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no course was opened"),
    pytest.mark.timeout(600),
]
PAGE = """<!doctype html><title>Unit</title><script src="cmi5.js"></script><script>
const say = (...told) => top.postMessage(told, "*");
const score = { scaled: 0.95, raw: 95, min: 0, max: 100 };
(async () => {
%s
})().catch((error) => say("over", String(error.message ?? error)));
</script>"""
RUSTICI = """
  const unit = new (window.default ?? window.Cmi5)(location.href);
  await unit.start();
  unit.setLanguagePreference("en-GB");
  unit.setAudioPreference("off");
  await unit.saveLearnerPrefs();
  await unit.sendStatement(unit.prepareStatement("http://adlnet.gov/expapi/verbs/experienced"));
  await unit.completed();
  await unit.passed(score);
  await unit.terminate();
  say("over", unit.getLaunchMode());"""
XAPI = """
  const unit = (Cmi5.default ?? Cmi5).instance;
  await unit.initialize();
  await unit.interactionTrueFalse("test-1", "question-1", true, true);
  await unit.complete();
  await unit.pass(score);
  await unit.terminate();
  say("over", unit.getLaunchData().launchMode);"""


@pytest.mark.parametrize(
    ("library", "script", "between"),
    [
        ("@rusticisoftware/cmi5/dist/cmi5.js", RUSTICI, "experienced"),
        ("@xapi/cmi5/dist/Cmi5.umd.js", XAPI, "answered"),
    ],
    ids=["rustici", "xapi"],
)
def test_content_made_with_a_library_is_satisfied_in_a_frame_of_another_site(tmp_path, library, script, between):
    files = {"index.html": PAGE % script, "cmi5.js": (packages(HERE) / "node_modules" / library).read_bytes()}
    with (
        serving(tmp_path / "lrs", content_url="http://{tenant}.localhost:PORT") as lrs,
        closing(Chromium(found(), tmp_path / "chromium")) as browser,
        closing(Elsewhere()) as elsewhere,
    ):
        platform = PlatformClient(lrs)
        course = bring(
            platform, package(structure(block(unit(moveOn="CompletedAndPassed", masteryScore="0.9"))), files)
        )

        open_in_frame(browser, platform, elsewhere, course)
        browser.await_line("over")
        told = verbs_of(lrs, registered(platform, course).id)

        assert browser.said == ["over", "Normal"]
        assert told == [
            *("launched", "initialized", between, "completed", "passed", "satisfied", "satisfied", "terminated"),
        ]
