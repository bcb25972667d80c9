"""The catalogue of texts: the pages of consent are whole in English and Welsh, and no text is outside it."""

import ast
import functools
import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2.meta
from babel.messages.pofile import read_po
from jinja2 import nodes
from jinja2.ext import babel_extract

from adapters.catalogue import plan_pages, role_view, view
from adapters.lms.pages import own_learning
from adapters.training_centre import seats
from adapters.training_centre.centre_sessions import KINDS_SAID
from adapters.training_centre.pages.view import TIMES
from badges.forms import FORMS
from badges.pages import own, prior
from lrs.composition import site
from lrs.matching import declared
from lrs.pages import front
from lrs.pages.me import routes
from lrs.pages.session import NOT_WHOLE
from lrs.pages.visit import TO_LEARNERS
from lrs.web import listing
from lrs.web.language import LOCALE, catalogue, languages
from lrs.web.page import MAILS, TEMPLATES, environment

CONSENT = {
    *(
        "learner/consent.html",
        "learner/decided.html",
        "learner/answered.html",
        "learner/guardian.html",
        "learner/refused.html",
    ),
    "mails/guardian.html",
}
"""What learners and guardians read when they are asked to agree."""
LEARNERS = sorted(str(path.relative_to(TEMPLATES)) for path in (TEMPLATES / "learner").glob("*.html"))
SIGN_IN = {f"account/{name}.html" for name in ("learner", "sent", "link", "own-record", "welcome", "refused")}
"""By which learners sign in."""
BADGES = {
    *(f"learner/{name}.html" for name in ("badge", "shared", "certificate", "claim-refused", "wallet", "code")),
    "mails/badge.html",
}
"""By which learners get badges, and show them."""
MINE = {
    f"learner/{name}.html" for name in ("skills", "roles", "sharing", "own-refused", "apprenticeship", "occupation")
}
"""What learners read of themselves."""
PUBLIC = {
    f"public/{name}.html"
    for name in (
        *("verify", "verify-refused", "catalogue", "catalogue-entry", "roles", "role", "role-embedded", "refused"),
        *("achievement", "criteria", "competency"),
    )
}
"""What everybody reads, and learners are led to."""
LAUNCHED = {
    *(f"lti/{name}.html" for name in ("learn", "opening", "closed", "refused", "window", "keep", "recall")),
    *(f"content/{name}.html" for name in ("player", "refused")),
}
"""What learners read who come from a learning platform, and round what they open."""
OWN = {*LEARNERS, "account/own-account.html"}
"""What learners read."""
WELSH = CONSENT | SIGN_IN | BADGES | MINE | PUBLIC | LAUNCHED | OWN | {"mails/learner-sign-in.html"}
"""What there is in both languages, whole."""
WITHOUT_CHOICE = {
    "public/refused.html",
    "public/role-embedded.html",  # stands in a page of somebody else
    "learner/own-refused.html",
    "account/refused.html",
    *(f"content/{one}.html" for one in ("player", "refused")),
    *(f"lti/{one}.html" for one in ("keep", "opening", "recall", "refused", "window")),
}
"""Pages in Welsh on which nobody chooses a language: refusals and steps on a way have that of the page before them."""
OF_LISTS = {
    *(one.label for one in (*view.CATALOGUE, *role_view.ROLES) if one.seen or one.facet),
    *(*listing.IN_WORDS, *view.IN_WORDS, *role_view.EFFECT, *TIMES),
}
"""What code says on these pages: the labels of lists, and words in place of values."""
LEARNERS_ROUTES = (
    *sorted(Path(routes.__file__).parent.glob("*.py")),
    *(Path(one.__file__) for one in (own, prior, plan_pages, own_learning)),
)
"""The modules of learners' pages: their messages after forms and their refusals are in the catalogue."""
REFUSING = (Path(seats.__file__), Path(declared.__file__))
"""What refuses what is asked on these pages."""
FOREIGN = re.compile(
    r"\b(tenants?|scopes?|statements?|iris?|uuids?|verbs?|actors?|tokens?|endpoints?|xapi)\b", re.IGNORECASE
)
"""Words of ours that no learner would know."""
LETTERS = re.compile(r"[^\W\d_]{2}")
HOLES = re.compile(r"%\(\w+\)s|<[^>]+>")
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"')
READ_AS_TEXT = {"alt", "aria-label", "placeholder", "title"}


def source(name):
    folder = MAILS.parent if name.startswith("mails/") else TEMPLATES
    return folder / name


def with_referred(names):
    """*names*, and the templates that they extend, include or import, and so on."""
    return set(names).union(*map(referred, names))


@functools.cache
def referred(name):
    """The templates that *name* refers to, and so on."""
    return with_referred(set(jinja2.meta.find_referenced_templates(environment().parse(source(name).read_text()))))


def texts_in(names):
    """The texts of templates: one, or singular and plural."""
    options = {"newstyle_gettext": "true", "trimmed": "false"}
    found = {}
    for name in sorted(names):
        with source(name).open("rb") as file:
            for _, _, text, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), options):
                parts = (text,) if isinstance(text, str) else tuple(part for part in text if part)
                found[parts[0]] = parts
    return found


def refusals_in(path):
    """The sentences of refusals in a module that are written out."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args)
    named = [one.args[0] for one in calls if isinstance(one.func, ast.Name) and one.func.id == "Refused"]
    whole = [one for one in named if isinstance(one, ast.Constant | ast.IfExp)]
    parts = [part for one in whole for part in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]
    return {part.value for part in parts}


def test_each_page_that_is_in_welsh_lets_its_reader_choose_the_language():
    pages = {name for name in WELSH if not name.startswith("mails/")}
    without = {name for name in pages if "switch(language, languages)" not in source(name).read_text()}

    assert without == WITHOUT_CHOICE


def test_what_a_form_did_is_said_to_learners_by_the_catalogue():
    for path in LEARNERS_ROUTES:
        assert not re.search(r"(?m)^says\(", path.read_text()), path

    assert "The seat is given back." in TO_LEARNERS.values()
    assert "There is no such skill on your page any more." in refusals_in(Path(routes.__file__))


def test_the_pages_of_consent_and_sign_in_have_every_text_in_welsh_and_the_catalogue_has_no_other():
    with (LOCALE / "cy.po").open("rb") as file:
        kept = {
            (one.id if isinstance(one.id, str) else one.id[0]): one.string
            for one in read_po(file, locale="cy")
            if one.id
        }
    assert site  # with it come all pages, and so all that they say to learners
    of_forms = {text: (text,) for form in FORMS for text in (form.title, form.about)}
    refused = set().union(*map(refusals_in, (*LEARNERS_ROUTES, *REFUSING)))
    told = {front.NOTHING, NOT_WHOLE, *OF_LISTS, *TO_LEARNERS.values(), *KINDS_SAID.values(), "Course", *refused}
    said = of_forms | {text: (text,) for text in told}
    wanted = texts_in(with_referred(WELSH)) | said

    assert wanted.keys() - kept.keys() == set()
    assert kept.keys() - wanted.keys() == set()
    for text, string in kept.items():
        forms = (string,) if isinstance(string, str) else string
        assert len(forms) == (1 if len(wanted[text]) == 1 else 6)
        for form in forms:
            assert form.strip(), text
            assert sorted(HOLES.findall(form)) == sorted(HOLES.findall(text)), text


def test_a_text_is_looked_up_in_the_language_of_the_page():
    assert languages() == ("en", "cy")
    assert catalogue("cy").gettext("I agree") == "Rwy'n cytuno"
    assert catalogue("cy").gettext("Nobody has translated this") == "Nobody has translated this"
    counted = [
        environment("cy").get_template("shared/sharing.html").module.results(count).strip() for count in (1, 2, 3, 4)
    ]
    assert counted == [
        "1 canlyniad yn cyfrif",
        "2 ganlyniad yn cyfrif",
        "3 chanlyniad yn cyfrif",
        "4 canlyniad yn cyfrif",
    ]


class Said(HTMLParser):
    """What a page says to people: its texts, and the attributes that are read out."""

    def __init__(self, text):
        super().__init__()
        self.texts, self.tag = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        self.texts += [value or "" for name, value in attrs if name in READ_AS_TEXT]

    def handle_data(self, data):
        if self.tag != "style":
            self.texts.append(ATTRIBUTE.sub("", data))  # a macro may write attributes only


def outside(name):
    """The texts of a template that are in no catalogue: written between its tags, or as constants in it."""
    tree = environment().parse(source(name).read_text())
    plain = "".join(
        part.data if isinstance(part, nodes.TemplateData) else " "
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )
    looked_up = {id(text) for call in tree.find_all(nodes.Call) if is_gettext(call) for text in call.args}
    looked_up |= {id(pair.key) for pair in tree.find_all(nodes.Pair)}
    constants = [
        one.value for one in tree.find_all(nodes.Const) if isinstance(one.value, str) and id(one) not in looked_up
    ]
    said = [text.strip() for text in Said(plain).texts if LETTERS.search(text)]
    return said + [text for text in constants if " " in text.strip() and LETTERS.search(text)]


def is_gettext(call):
    return isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "ngettext"}


def test_no_learners_page_has_a_text_outside_the_catalogue():
    own = {name: set(outside(name)) - {"English", "Cymraeg"} for name in with_referred(WELSH)}

    assert {name: texts for name, texts in own.items() if texts} == {}


def test_no_learners_page_has_a_word_that_a_learner_would_not_know():
    said = {name: [text for parts in texts_in([name]).values() for text in parts] for name in with_referred(WELSH)}

    assert [(name, text) for name in said for text in said[name] if FOREIGN.search(HOLES.sub("", text))] == []


def test_a_text_outside_the_catalogue_is_found():
    assert outside("account/second-factor.html")
    assert "Bearbeiten" in Said("<p>x</p><a aria-label='Bearbeiten'>").texts
