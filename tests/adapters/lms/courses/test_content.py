"""Files of packages: on their own host only, as their authors made them, and to nobody's cookies."""

import pytest

from adapters.lms.courses.content import media_type
from tests.adapters.lms.made import imported, package, structure
from tests.pages.conftest import Browser, Site
from tests.pages.members import signed_in

FILES = {"data/deep file.json": b"{}", "app.js": b"alert(1)", "empty.txt": b""}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("content"), pages_url="http://lrs.test", content_url="http://content.test")
    made.course = imported(made.tenant, package(structure(), FILES))
    yield made
    made.close()


@pytest.fixture(scope="module")
def there(site):
    return Browser(site.app, "http://content.test"), f"/t/default/content/{site.course.version.package}"


def test_a_file_is_served_whole_with_a_policy_of_its_own(there):
    browser, root = there

    page, script, deep = (
        browser.get(f"{root}/{name}") for name in ("index.html?endpoint=x", "app.js", "data/deep%20file.json")
    )

    assert (page.status_code, page.text, page.headers["content-type"]) == (
        200,
        "<html>unit</html>",
        "text/html; charset=utf-8",
    )
    assert "sandbox" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in page.headers
    assert script.headers["content-type"].startswith("text/javascript")
    assert (deep.text, deep.headers["content-type"]) == ("{}", "application/json")
    assert browser.get(f"{root}/empty.txt").content == b""
    again = browser.ask("GET", f"{root}/app.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = browser.ask("HEAD", f"{root}/app.js")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "8", b"")


def test_on_the_host_of_the_pages_there_is_none_of_it(site, there):
    _, root = there

    answer = Browser(site.app).get(f"{root}/index.html")

    assert answer.status_code == 404
    assert "unit" not in answer.text


@pytest.mark.parametrize("path", ["none.html", "", "%2e%2e/cmi5.xml", "data", "data/", "INDEX.HTML"])
def test_what_is_no_file_of_the_package_is_not_found(there, path):
    browser, root = there

    assert browser.get(f"{root}/{path}").status_code == 404


def test_another_package_and_another_tenant_have_nothing_there(there):
    browser, root = there

    assert browser.get(root.replace("default", "other") + "/index.html").status_code == 404
    assert browser.get(f"/t/default/content/{'0' * 32}/index.html").status_code == 404


def test_the_host_of_content_has_no_pages(site):
    signed = signed_in(site, "administrator")
    signed.address = "http://content.test"

    answer = signed.get("/staff/courses")

    assert answer.status_code == 307
    assert answer.headers["location"] == "http://lrs.test/staff/courses"


def test_media_types_do_not_depend_on_the_machine():
    assert [media_type(name) for name in ("a.JS", "b.wasm", "c.woff2", "d", "e.unknown-thing")] == [
        *("text/javascript", "application/wasm", "font/woff2", "application/octet-stream", "application/octet-stream"),
    ]
