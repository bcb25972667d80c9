"""No text says "1 rows": the plural comes from the catalogue in a page, and from ``counted`` in code."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

from lrs.kernel.plain_text import counted
from lrs.web.page import MAILS, TEMPLATES

ROOT = Path(__file__).parents[1]
NOUNS = """
answers apprenticeships badges blobs changes cells codes columns consents courses days deliveries destinations districts
employers entries files frameworks headers hours invitations items keys learners levels links mails marks minutes
months names organisations parts people persons pieces places records regions requests results roles rows rules
seats seconds services sessions signatures skills sources statements steps things times tokens tries values weeks words
"""
_NO_ADJECTIVE = "and are by for from gives has in is names of or sends takes to was with"
_NOUN = rf"(?:(?!(?:{'|'.join(_NO_ADJECTIVE.split())}) )[a-z-]+ )?(?:{'|'.join(NOUNS.split())})\b"
IN_CODE = re.compile(rf" {_NOUN}")
IN_A_TEXT = re.compile(rf"%\((\w+)\)s {_NOUN}")
IN_MARKUP = re.compile(rf"\}}\}} {_NOUN}")
SEVERAL = {
    ("lrs/ops/doctor.py", "times in a row"),  # one is "once"
    ("lrs/ops/doctor_content.py", "organisations share"),
    ("lrs/competency/rules/mapping.py", "frameworks; name one"),
    ("lrs/competency/rules/ready.py", "times"),  # one is "once"
    ("badges/wallets/oid4vci/tokens.py", "more tries"),  # one is "one more try"
    ("lrs/kernel/tables/table.py", "cells stand under"),  # more than there are headers
    ("lrs/pages/invitations.py", "learners: invite at most"),  # more than may be
    ("badges/content/described_evidence.py", "learning records in all"),  # more than are named
    ("lrs/xapi/statements/limits.py", "entries in the store"),
    ("lrs/kernel/strict_json.py", "levels."),  # of nesting, a limit
    ("lrs/kernel/tables/opening.py", "rows: split it"),  # a limit
    ("lrs/xapi/statements/prepare.py", "statements in a request"),  # a limit
    ("lrs/kernel/tables/notes.py", "between cells"),  # the name of a separator
    ("badges/commands/codes.py", "names the trusted source"),  # a file
    ("adapters/imports/elsewhere.py", "answers"),  # a server
}
"""Where the number is never 1 or there is none, by the file and what follows."""
CONSTANT = {"minutes", "days", "most"}
"""Numbers in the texts of templates that are settings of ours."""


@cache
def numbers(path):
    """What follows a number in the f-strings of *path*, unless the number is a constant of ours."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for value, after in pairwise(parts):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant) and not is_constant(value):
                match = IN_CODE.match(after.value)
                found += [after.value.strip()] if match else []
    return found


def is_constant(value):
    names = [one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in ast.walk(value.value)]
    return any(name.lstrip("_").isupper() for name in names)


def in_template(name):
    """The texts of a template that have a number and a noun, and no plural; and those outside of every text."""
    with name.open("rb") as file:
        texts = [text for _, _, text, _ in babel_extract(file, ("_", "gettext"), (), {"newstyle_gettext": "true"})]
    found = [text for text in texts if isinstance(text, str) and set(IN_A_TEXT.findall(text)) - CONSTANT]
    outside = re.sub(r"\{% trans\b.*?\{% endtrans %\}", "", name.read_text(), flags=re.DOTALL)
    return found + IN_MARKUP.findall(outside)


@pytest.mark.parametrize("text", ["%(count)s rows", "%(count)s further rows", "%(of)s required skills wait"])
def test_a_number_with_a_noun_is_found(tmp_path, text):
    (tmp_path / "page.html").write_text(f"{{{{ _({text!r}) }}}}<p>{{{{ count }}}} rows</p>")
    (tmp_path / "code.py").write_text('a = f"{count} rows wait"\nb = f"{MOST} rows"\nc = f"{count} has rows"\n')

    assert in_template(tmp_path / "page.html") == [text, "}} rows"]
    assert numbers(tmp_path / "code.py") == ["rows wait"]


def test_no_text_of_a_page_has_a_number_and_a_noun_without_its_plural():
    names = [*TEMPLATES.rglob("*.html"), *MAILS.rglob("*.html")]

    found = {name.name: told for name in names if (told := in_template(name))}

    assert found == {}


def test_no_message_in_code_has_a_number_and_a_noun_without_its_plural():
    paths = [path for room in ("lrs", "adapters", "badges") for path in (ROOT / room).rglob("*.py")]
    found = {(str(path.relative_to(ROOT)), text) for path in paths for text in numbers(path)}
    known = {one for one in found for path, text in SEVERAL if one[0] == path and one[1].startswith(text)}

    assert found - known == set()


def test_one_thing_is_said_as_one():
    assert [counted(number, "row") for number in (0, 1, 2, 1_000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert [counted(number, "try", "tries") for number in (1, 3)] == ["1 try", "3 tries"]
