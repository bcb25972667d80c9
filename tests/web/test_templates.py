"""The templates: each is used, and escapes whatever it is given; and no markup is made anywhere but in them."""

import ast
import functools
import itertools
import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote_plus

import jinja2.meta
import pytest

from lrs.outbox import mail
from lrs.web.page import MAILS, TEMPLATES, environment

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for part in ("lrs", "adapters", "badges") for path in (ROOT / part).rglob("*.py"))
FILES = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file()}
SHARED = {name for name in FILES if name.startswith("shared/")}
PAGES = sorted(FILES - SHARED)
PLAIN = "¤"  # stands in no template
HOSTILE = "\"'>&</title></style><script>alert(1)</script><img src=x onerror=alert(2)>"
TAG = re.compile(r"<[a-z/!?{%]|<$|&[a-z]+;|&#", re.IGNORECASE)
_TEXTS = ast.Constant | ast.JoinedStr | ast.BinOp
NAMED_GROUP = re.compile(r"\(\?(P<\w*(>|$)|<[!=])")  # and what must stand in front of a match
NO_MARKUP = {
    ("lrs/kernel/tables/sort.py", r"<!--|<[!?A-Za-z][^,;\t|]{0,200}>"),  # tells a web page from a table
    ("lrs/kernel/tables/sort.py", "<"),
    ("lrs/kernel/tables/formats.py", "[<"),  # part of a number format of Excel's
    ("lrs/outbox/channels/email.py", "<"),  # round the id of a message
    ("lrs/pages/arrivals/routes.py", "<"),  # a header (RFC 8288)
    ("adapters/lms/importing.py", "<"),  # tells XML from an archive
    ("adapters/lms/lti/services.py", "<"),  # a header (RFC 8288)
    ("badges/achievements/pictures.py", "<"),  # tells an SVG from a PNG
    ("badges/forms/baked.py", "<"),  # written as JSON may have it in HTML
    ("lrs/kernel/xml.py", "<!DOCTYPE"),  # what a message names
    ("badges/verifying/containers.py", "<"),  # tells a web page from a badge
    ("adapters/catalogue/role_view.py", "iframe"),  # a text to copy into a page of another site
    ("adapters/reading/words.py", "<null>"),  # what people write where they mean nothing
}


@functools.cache
def texts(path):
    """The texts in the code of *path*: constants, and what pluses and f-strings make of them; no docstrings."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    in_code = [node for node in ast.walk(tree) if isinstance(node, _TEXTS) and id(node) not in said]
    return [(node.lineno, text) for node in in_code if (text := folded(node)) is not None]


def folded(node):
    """The text that *node* stands for, a value that is not known as ``x``; ``None`` if it is no text."""
    if isinstance(node, ast.Constant):
        value = node.value
        return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(folded(part) if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [folded(side) for side in (node.left, node.right)]
        return None if sides == [None, None] else "".join("x" if side is None else side for side in sides)
    return None


def having(expression):
    """The sources in which *expression* is found, so that only they need to be parsed."""
    return [path for path in SOURCES if re.search(expression, path.read_text())]


def is_markup(text):
    return bool(TAG.search(NAMED_GROUP.sub("", text)))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("a = '<p>text</p>'", True),
        ("a = '''\n<ul>\n'''", True),
        ("a = b'<br>'", True),
        ("a = '\\x3cscript>'", True),
        ("a = f'<{tag}>'", True),
        ("a = '<' + tag + '>'", True),
        ("a = '<' 'h1' '>'", True),
        ("a = '</' + tag", True),
        ("a = '<{}>'.format(tag)", True),
        ("a = '<%s>' % tag", True),
        ("a = '&nbsp;'", True),
        ("a = '<!doctype html>'", True),
        ("a = 'a < b'", False),
        ("a = '(?P<name>x)'", False),
        ("def f():\n    '''Gives <b>.'''", False),
    ],
)
def test_markup_in_code_is_found_however_it_is_written(tmp_path, code, found):
    path = tmp_path / "code.py"
    path.write_text(code)

    assert any(is_markup(text) for _, text in texts(path)) is found


def test_no_code_makes_markup():
    near = having(r"[<&]|\\[xuUN0-7]")  # as it is, or as an escape
    found = {
        (str(path.relative_to(ROOT)), line, text) for path in near for line, text in texts(path) if is_markup(text)
    }
    known = {one for one in found if any(one[0] == path and text in one[2] for path, text in NO_MARKUP)}

    assert found - known == set()
    assert {path for path, _, _ in known} == {path for path, _ in NO_MARKUP}


def used_names(path):
    """The names that the code of *path* imports, and those of the functions that it calls, without what they are of."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            yield from (f"import {module}.{one.name}".replace(" .", " ") for one in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield f"{node.func.id if isinstance(node.func, ast.Name) else node.func.attr}("


def test_only_the_page_system_renders_and_answers_with_html():
    rendering = re.compile(r"import (jinja2|markupsafe|mako|django|string\.Template)\b|\bHTMLResponse\($|\bMarkup\($")
    near = having(r"jinja2|markupsafe|mako|django|Template|HTMLResponse|Markup")

    found = {str(path.relative_to(ROOT)) for path in near if any(map(rendering.search, used_names(path)))}

    assert found == {"lrs/web/page.py"}


# -- each template ----------------------------------------------------------------------------------------------------


@functools.cache
def referred(name):
    """The templates that *name* extends, includes or imports, and so on."""
    direct = set(jinja2.meta.find_referenced_templates(parsed(name)))
    return direct.union(*(referred(one) for one in direct))


@functools.cache
def parsed(name):
    return environment().parse((TEMPLATES / name).read_text())


@functools.cache
def undeclared(name):
    """The values that the template *name* itself is to be given."""
    return jinja2.meta.find_undeclared_variables(parsed(name))


def test_each_template_is_used_and_each_that_is_named_is_there():
    named = {text for path in having(r"\.html") for _, text in texts(path) if re.fullmatch(r"\w+/[\w-]+\.html", text)}
    named.remove("mails/x.html")
    mails = {path.stem for path in MAILS.iterdir()} - {"letter", "parts"}

    assert named == set(PAGES)
    assert mails == {*mail.TEMPLATES, "test"}
    assert named.union(*map(referred, named)) == FILES


def test_a_template_lies_with_its_audience_and_takes_from_no_other():
    for name in PAGES:
        audience = name.partition("/")[0]
        assert {one.partition("/")[0] for one in referred(name)} <= {audience, "shared"}


def test_no_template_switches_escaping_off_or_has_a_script_or_a_style_of_its_own():
    code = re.compile(r"\|\s*safe\b|autoescape|Markup|forceescape|xmlattr|tojson")
    own = re.compile(r"<style|\sstyle=|\son\w+\s*=|javascript:", re.IGNORECASE)
    wrong = {}
    for name in sorted(FILES):
        text = (TEMPLATES / name).read_text()
        loaded = functools.reduce(lambda text, picture: text.replace(picture, ""), PICTURES, text)
        loads = re.search(r"<script|<link|src=", loaded, re.IGNORECASE) and name != "shared/base.html"
        if found := code.search(text) or own.search(text) or loads:
            wrong[name] = found.group()

    assert wrong == {}


PICTURES = (
    '<img src="{{ root }}/me/badges/',  # of somebody's own badge
    '<img src="{{ file }}?form=picture"',
    '<img src="{{ here_place }}/badge.svg"',
    '<img src="{{ place }}/image.svg"',  # the image that a badge would have
    '<img src="{{ picture }}"',  # the image of an achievement, at our address of it
)
"""What templates load."""


class Value:
    """Whatever a template takes it for: text, list of two, object, number; *truths* says when it counts as true."""

    def __init__(self, text, truths):
        self.text, self.truths = text, truths

    def __call__(self, *_):
        return self

    def __str__(self):
        return self.text

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return [self, self] if isinstance(key, slice) else self

    def __iter__(self):
        return iter([self, self])

    def __len__(self):
        return 2

    def __bool__(self):
        return next(self.truths)

    def __add__(self, _):
        return self

    __radd__ = __sub__ = __rsub__ = __add__

    def __gt__(self, _):
        return next(self.truths)

    def __eq__(self, _):
        return next(self.truths)

    __hash__ = object.__hash__


class Structure(HTMLParser):
    """Tags and the names of their attributes, in order, and what stands between and in them.

    But for classes: a cell with a long word has one of its own.
    """

    def __init__(self, text):
        super().__init__()
        self.tags, self.said = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *(name for name, _ in attrs if name != "class")))
        self.said += [value or "" for name, value in attrs if name != "class"]

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        self.said.append(data)


@functools.cache
def wanted(name):
    """The values that *name* and what it refers to are to be given."""
    return set().union(*map(undeclared, {name, *referred(name)})) - {"caller", *environment().globals}


def rendered(name, text, pattern, **known):
    truths = itertools.cycle(pattern)
    known |= {"asset": str}
    return environment().get_template(name).render({one: Value(text, truths) for one in wanted(name)} | known)


STATUSES = (400, 403, 404, 405, 410, 413, 418, 429, 500, 503, 507)


def faults_of(name, status, pattern):
    """Where what a template is given becomes markup, or is lost."""
    page = rendered(name, HOSTILE, pattern, nonce="n", status=status)
    plain = rendered(name, PLAIN, pattern, nonce="n", status=status)
    given, harmless = Structure(page), Structure(plain)
    # in the query of an address it is encoded
    said = [one.replace(quote_plus(HOSTILE), HOSTILE) for one in given.said]
    if "<script>" in page:
        yield "a script"
    if given.tags != harmless.tags:
        yield "other tags"
    if said != [one.replace(quote_plus(PLAIN), PLAIN).replace(PLAIN, HOSTILE) for one in harmless.said]:
        yield "another text"
    if PLAIN not in plain and not name.endswith("refused.html") and pattern != (False,):
        yield "nothing of what was given"


@pytest.mark.parametrize("pattern", [(True,), (False,), (True, False)], ids=["true", "false", "in turns"])
def test_whatever_a_template_is_given_is_text_and_no_markup(pattern):
    statuses = STATUSES if pattern == (False,) else STATUSES[:1]
    asked = [(name, status) for name in PAGES for status in (statuses if name.endswith("refused.html") else [200])]

    assert {one: faults for one in asked if (faults := list(faults_of(*one, pattern)))} == {}


RAW = re.compile(
    r"\{\{ *(\w+\.)?(problem|refused|error|wrong(\.problem|\.get\([^}]*\))?)(\.message)? *(\}\}|\| *default)"
)


def test_each_refusal_on_a_page_goes_through_the_filter_that_makes_it_a_sentence():
    raw = {
        (name, found[0])
        for name in sorted(FILES)
        if name.endswith(".html")
        for found in RAW.finditer((TEMPLATES / name).read_text())
    }

    # an address, and a number
    assert raw == {("staff/source.html", "{{ refused }}"), ("staff/quarantine.html", "{{ refused }}")}


def test_a_value_that_is_missing_is_an_error_and_no_empty_text():
    def is_silent(name):
        with suppress(jinja2.UndefinedError):
            environment().get_template(name).render()
            return True
        return False

    assert list(filter(is_silent, PAGES)) == []


def test_every_audience_has_a_page_of_refusal_that_says_what_where_and_what_to_do():
    known = {"message": "No.", "wait": "7", "place": "/there", "request_id": "ab-1"}
    for name in (name for name in PAGES if name.endswith("/refused.html")):
        for status in STATUSES:
            said = Structure(rendered(name, "", (True,), nonce="n", status=status, **known)).said

            text = " ".join("".join(said).split())
            assert {"alert"} & set(said), (name, status)
            for part in ("No.", "Wait for 7 seconds first.", "Number of this request: ab-1"):
                assert part in text, (name, status)
            assert "/there" in text or "This page: " in text, (name, status)


def test_each_audience_has_a_page_of_refusal():
    audiences = {name.partition("/")[0] for name in PAGES}

    assert {f"{audience}/refused.html" for audience in audiences} <= FILES
