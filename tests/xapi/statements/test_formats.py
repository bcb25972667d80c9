"""The text formats of xAPI values: what is one, what is none, and that no text makes them slow."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel import times
from lrs.xapi.statements import formats
from tests.rows import each_of

IRIS = [
    "http://example.com",
    "https://example.com/a?b=c&d=[1]#e",
    "urn:uuid:12345678-1234-4234-8234-1234567890ab",
    "mailto:a@example.com",
    "tag:example.com,2026:x",
    "x-y.z+1:a",
    "http://例え.jp/コース",
    "HTTP://EXAMPLE.COM",
    "act:12",
]
NO_IRIS = [
    "",
    "should fail",
    "plain",
    "ab=c://should.fail.com",
    "/relative/path",
    "//example.com",
    "1http://example.com",
    ":nothing",
    "http:",
    "http://exa mple.com",
    "http://example.com/{id}",
    "http://example.com/<id>",
    'http://example.com/"',
    "http://example.com/a|b",
    "http://example.com/a\\b",
    "http://example.com/a^b",
    "http://example.com/`",
    "http://example.com\n",
    "http://example.com\x00",
    "http://example.com/\x7f",
    "http://example.com/\x85",
    " http://example.com",
    "é:x",
]


@each_of("text", IRIS)
def test_line_20_an_iri_has_a_scheme_and_something_after_it(text):
    assert formats.is_iri(text)


@each_of("text", NO_IRIS)
def test_line_20_what_has_no_scheme_or_a_forbidden_character_is_no_iri(text):
    assert not formats.is_iri(text)


def test_line_20_long_iris_are_judged_like_short_ones():
    assert formats.is_iri("http://example.com/" + "a" * 10_000)
    assert not formats.is_iri("http://example.com/" + "a" * 10_000 + " ")


@pytest.mark.parametrize(
    "text",
    [
        "12345678-1234-4234-8234-1234567890ab",
        "AA97B177-9383-4934-8543-0F91A7A02836",
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ],
)
def test_line_19_a_uuid_has_36_characters(text):
    assert formats.is_uuid(text)


@each_of(
    "text",
    [
        "",
        "AA97B177-9383-4934-8543-0F91A7A028368",
        "MA97B177-9383-4934-8543-0F91A7A02836",
        "AA97B177938349348543 0F91A7A02836",
        "aa97b1779383493485430f91a7a02836",
        "{12345678-1234-4234-8234-1234567890ab}",
        "urn:uuid:12345678-1234-4234-8234-1234567890ab",
        "12345678-1234-4234-8234-1234567890ab\n",
        "\u06612345678-1234-4234-8234-1234567890ab",
    ],
)
def test_line_19_anything_else_is_no_uuid(text):
    assert not formats.is_uuid(text)


@pytest.mark.parametrize(
    "text",
    ["mailto:a@example.com", "mailto:a.b+c@sub.example.com", "mailto:o'neil@localhost", "mailto:josé@münchen.example"],
)
def test_line_21_a_mailto_has_an_address(text):
    assert formats.is_mailto(text)


@each_of(
    "text",
    [
        "mailto:should.fail.com",
        "a@example.com",
        "mailto:",
        "mailto:@example.com",
        "mailto:a@",
        "mailto:a@b@example.com",
        "mailto: a@example.com",
        "mailto:a@example.com ",
        "mailto:a@example.com\n",
        "mailto:a@example.com,b@example.com",
        "mailto:a@example.com?subject=x",
        "MAILTO:a@example.com",
        "http://a@example.com",
    ],
)
def test_line_21_anything_else_is_no_mailto(text):
    assert not formats.is_mailto(text)


@each_of(
    "text",
    [
        *(
            "en",
            "de-AT",
            "cmn",
            "sr-Latn-RS",
            "zh-Hant",
            "zh-Hans-CN",
            "tlh",
            "ase",
            "EN-us",
            "es-419",
            "sl-rozaj-biske",
        ),
        *("de-CH-1901", "de-DE-u-co-phonebk", "en-a-bbb-x-a-ccc", "x-whatever", "i-klingon", "en-GB-oed", "zh-min-nan"),
        *("zh-cmn-Hans-CN", "und", "abcd", "abcdefgh", "en-a-aaa-b-bbb", "sgn-BE-FR"),
    ],
)
def test_line_30_well_formed_language_tags(text):
    assert formats.is_language_tag(text)


@each_of(
    "text",
    [
        *("", "something", "a12345678", "zh-z-aaa-z-bbb-c-ccc", "en_US", "e", "en-", "-en", "en--US", "en-US ", "en\n"),
        *(
            "s-something",
            "en-something-AU",
            "zh-something-ccc",
            "x",
            "en-x",
            "en-a",
            "i-nonsense",
            "de-1901-1901",
            "12",
        ),
        *("en-US-GB", "en-Latn-Latn", "en-a-bb-A-cc", "\u017fk"),
        "en-x-" + "a-" * 200 + "a",
    ],
)
def test_line_30_ill_formed_language_tags(text):
    assert not formats.is_language_tag(text)


@pytest.mark.parametrize(
    "text",
    ["text/plain", "text/plain; charset=ascii", "application/vnd.a+json", 'a/b;c="d \\" e" ; f=g', "image/*", "a/b;"],
)
def test_media_types(text):
    assert formats.is_media_type(text)


@each_of("text", ["", "text", "text/", "/plain", "text plain", "a/b/c", "a/b;c", 'a/b;c="', "a/b\n", "a/b,c/d"])
def test_anything_else_is_no_media_type(text):
    assert not formats.is_media_type(text)


def test_digests_are_hexadecimal_and_as_long_as_their_kind():
    assert formats.is_sha1("cd9b00a5611f94eaa7b1661edab976068e364975")
    assert not formats.is_sha1("cd9b00a5611f94eaa7b1661edab976068e36497")
    assert not formats.is_sha1("gd9b00a5611f94eaa7b1661edab976068e364975")
    assert all(formats.is_sha2("aF" * (bits // 8)) for bits in (224, 256, 384, 512))
    assert not any(formats.is_sha2(text) for text in ("", "a" * 40, "a" * 63, "g" * 64, "a" * 65))


UNITS = [
    "a",
    "1",
    " ",
    "-",
    "-a1",
    "a-",
    "-abcde",
    "-1abc",
    "-a-bb",
    ":",
    "a.",
    "@",
    "1.",
    "1Y",
    ";",
    " ;",
    '";',
    "a=b;",
    "\\",
]
STARTS = ["", "a/b", 'a/b;c="', "P", "PT", "en", "x-", "mailto:", "mailto:a@", "http:", "2008-09-15T15:53:00."]
TESTS = [
    formats.is_iri,
    formats.is_uuid,
    formats.is_mailto,
    formats.is_language_tag,
    times.is_iso_timestamp,
    formats.is_duration,
    formats.is_media_type,
    formats.is_sha1,
    formats.is_sha2,
]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
@pytest.mark.timeout(60)  # measured under 50 ms each; a quadratic step takes minutes
def test_100_kb_made_to_be_slow_get_an_answer(test):
    for start, unit, end in itertools.product(STARTS, UNITS, ("", "!", "\n")):
        assert test(start + unit * (100_000 // len(unit)) + end) in (True, False)


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text):
    for test in TESTS:
        assert test(text) in (True, False)
