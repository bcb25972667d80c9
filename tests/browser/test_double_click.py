"""A double click is one click, also where the first of the two has led to another page. Made for ``make browser``."""

from contextlib import closing

import pytest

from tests.browser.chromium import Chromium, found
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: nothing was clicked"),
    pytest.mark.timeout(600),
]
FORM = """document.querySelector('main').innerHTML = `<form action="/sign-in">
<button name="pressed" value="${location.search.length}">Send</button></form>`;
Object.assign(document.querySelector('main button').style, { position: 'fixed', inset: 0, width: '100%' })"""


def click(browser, x=100):
    for event in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=event, x=x, y=300, button="left", clickCount=1)


def test_the_second_click_of_a_double_click_presses_no_button_of_the_page_that_came_after_the_first(tmp_path):
    with serving(tmp_path / "data") as lrs, closing(Chromium(found(), tmp_path / "browser")) as browser:
        clock = browser.call("Page.addScriptToEvaluateOnNewDocument", source="Date.now = () => 1000000")["identifier"]
        browser.open(f"{lrs.address}/sign-in")
        browser.run(FORM)
        browser.answers.clear()

        click(browser)
        browser.await_answer(f"{lrs.address}/sign-in?pressed=0")
        browser.run(FORM)
        browser.answers.clear()
        click(browser)
        after_a_double_click = browser.run("location.search")
        click(browser, x=130)  # another button, pressed as quickly
        browser.await_answer(f"{lrs.address}/sign-in?pressed=10")
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=clock)
        browser.run(FORM)
        browser.run("Date.now = () => 1000400")
        browser.answers.clear()
        click(browser, x=130)
        browser.await_answer(f"{lrs.address}/sign-in?pressed=11")

        assert after_a_double_click == "?pressed=0"
        assert not browser.answers[1:]
