"""An address that somebody gives us is told in a sentence where it is none, wherever it is given."""

import pytest
from click.testing import CliRunner

from adapters.imports.elsewhere import Elsewhere, ServerUnusable
from lrs.cli import main
from lrs.kernel import outbound
from lrs.kernel.addresses import web_address
from lrs.kernel.retry_after import seconds_asked
from lrs.kernel.settings import Settings
from tests.rows import each_of

WRONG = {
    "https://xn--/": "not a URL",
    "https://xn--a/": "not a URL",
    "https://\u2603.net/": "not a URL",
    "https://[::1/": "not a URL",
    "https://a\tb/": "not a URL",
    "https://exa mple/hook": "the host has a blank or another sign that no host has, or is too long",
    "https://exa%20mple/": "the host has a blank or another sign that no host has, or is too long",
    "https://a,b/": "the host has a blank or another sign that no host has, or is too long",
    "https://a..b/": "the host has a blank or another sign that no host has, or is too long",
    f"https://{'a' * 64}.example/": "the host has a blank or another sign that no host has, or is too long",
    f"https://{'a.' * 130}example/": "the host has a blank or another sign that no host has, or is too long",
    "ftp://a.example/": "only https URLs with a host",
    "https:///hook": "only https URLs with a host",
    "https://user@a.example/": "no user name or password in a URL",
    "https://a.example:65536/": "no such port",
}
wrong = pytest.mark.parametrize(("url", "why"), WRONG.items())


@wrong
def test_what_is_no_address_is_told(url, why):
    with pytest.raises(ValueError, match=why):
        web_address(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://lrs.example", "lrs.example"),
        ("https://lrs.example./x", "lrs.example."),
        ("http://127.0.0.1:8080/xapi", "127.0.0.1"),
        ("http://[::1]:8080/xapi", "::1"),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://a_b-c.example/", "a_b-c.example"),
    ],
)
def test_what_is_an_address_is_taken(url, host):
    assert web_address(url).raw_host.decode() == host


@wrong
def test_a_call_to_no_address_is_refused_before_any_look_up(url, why):
    with pytest.raises(outbound.Blocked, match=why):
        outbound.check(url, Settings(), resolve=lambda *_: pytest.fail("looked up"))


@wrong
def test_an_adapter_says_that_its_endpoint_is_none(url, why):
    with pytest.raises(ServerUnusable) as closed:
        Elsewhere(url, ("key", "secret"))

    assert str(closed.value) == f"{url!r} is no endpoint ({why}): use http(s)://host/path/xapi"


@pytest.mark.parametrize("url", WRONG)
@pytest.mark.parametrize(
    "command",
    [
        ["services", "add", "Matcher", "--webhook", "{url}", "--scopes", "profiles:read", "--purpose", "jobs"],
        ["adapter", "run", "training-centre", "{file}", "--endpoint", "{url}", "--key", "k", "--secret", "s"],
        ["badges", "verify", "{url}"],
    ],
)
def test_a_command_refuses_it_in_a_sentence(tmp_path, command, url):
    file = tmp_path / "centre.csv"
    file.write_text("session,uln\n1,1\n")
    given = [part.format(url=url, file=file) for part in command]
    data = [] if "--endpoint" in given else ["--data", str(tmp_path)]

    done = CliRunner().invoke(main, [*given, *data])

    assert done.exit_code not in {0, None}
    assert isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output
    assert len(done.output.strip().splitlines()) <= 4


@pytest.mark.parametrize("url", [*WRONG, "https://lrs.example/?", "https://lrs.example/#a", "https://lrs.example?x=1"])
def test_a_public_url_that_is_none_keeps_everything_from_starting(tmp_path, url):
    done = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)], env={"LRS_PUBLIC_URL": url})

    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit)
    assert "LRS_PUBLIC_URL" in done.output


NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z


@each_of(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("9" * 400, 999_999_999.0),
        ("Wed, 18 Nov 2026 11:07:00 GMT", 20.0),
        ("Wed, 18 Nov 2026 12:07:00 +0100", 20.0),
        ("Wed, 18 Nov 2026 11:07:00", 20.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 18 Nov 2026 11:07:00 +99999999999999", 0.0),
        ("Wed, 18 Nov 2026 11:07:00 -9999", 0.0),
        ("Wed, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Wed, 18 Nov 99999 11:07:00 GMT", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("\u00b2", 0.0),
        ("soon", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_time_and_any_other_text_is_ignored(header, seconds):
    assert seconds_asked(header, NOW) == seconds
