"""What learners hold, as statements that Moodle's ``tool_lptmanager`` polls: by its own rules of reading."""

import base64
from urllib.parse import urlsplit

import pytest

from adapters.lms.lti import platforms, results, users
from lrs.access.keys import create_key, known_keys
from lrs.access.source_names import SourceNames
from lrs.competency.frameworks.framework import Framework, Item
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.frameworks.levels import PRESETS
from lrs.composition.steps import drain
from lrs.kernel.errors import Misconfigured
from lrs.people.persons import identifiers_of
from lrs.storage import each
from tests.adapters.lms.lti.platform import CLAIM, World
from tests.matching.world import held, put_profile
from tests.pages.conftest import forms_of, text_of

LIS = CLAIM + "lis"
FRAMEWORK = "https://standards.example/gmp"
ASSERTED = "https://w3id.org/xapi/tla/verbs/asserted"


class There:
    """A platform of its own for each test, at the one tool of this module."""

    def __init__(self, tool, issuer):
        self.tool, self.issuer = tool, issuer
        self.tenant, self.store, self.browser = tool.tenant, tool.store, tool.browser
        self.described = tool.add(tool.platform.described(issuer=issuer))


@pytest.fixture(scope="module")
def tool(tmp_path_factory, platform):
    made = World(tmp_path_factory.mktemp("results"), platform)
    yield made
    made.close()


@pytest.fixture
def world(tool, request):
    return There(tool, f"https://{abs(hash(request.node.name))}.example")


@pytest.fixture
def key(world):
    """The key with which the platform reads results of one framework."""
    return results.turn_on(world.tenant, world.described, [FRAMEWORK], by="test")


def launch(world, sub="5", number="ULN-1", **claims):
    told = {"iss": world.issuer, "email": f"{sub}@example.org", LIS: {"person_sourcedid": number}}
    answer = world.tool.launch(sub=sub, login={"iss": world.issuer}, **told | claims)
    assert answer.status_code == 303


def known(world, sub="5"):
    return users.user(world.store, users.user_id(world.described.id, sub))


def holds(world, *codes, sub="5", framework=FRAMEWORK, **more):
    """Has the learner hold these competencies, and the steps run that follow."""
    entries = [held(code, **more) for code in codes]
    for entry in entries:
        entry["competency"]["framework"] = framework
    put_profile(world.tenant, known(world, sub).person, *entries)
    drain(world.tenant, ("sync", "refs", "match"))


def poll(world, key, **more):
    """What the plugin asks for, page after page, as it follows ``more``: the statements, and how many it asked."""
    secret = base64.b64encode(f"{key.key}:{key.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "X-Experience-API-Version": "1.0.3"}
    asked = {"verb": ASSERTED, "ascending": "true", "limit": 100, **more}
    answer = world.browser.ask("GET", "/xapi/statements", params=asked, headers=headers)
    found, pages = [], 0
    while True:
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found += told["statements"]
        pages += 1
        if not told.get("more"):
            return found, pages
        answer = world.browser.ask("GET", urlsplit(told["more"]).geturl(), headers=headers)


def as_read(statement):
    """Whom, which competency and which framework ``sync_lrs_competencies.php`` takes from a statement (6f5236b).

    ``None`` for one whose actor is no user: what voids an asserted statement is found with it (1.0.3 Communication
    2.1.3), and the plugin goes on with the next.
    """
    actor, target = statement["actor"], statement["object"]
    who = actor.get("account", {}).get("name") or actor.get("mbox", "").replace("mailto:", "")
    if who == "default.results":
        return None
    code = target["definition"]["extensions"]["https://w3id.org/xapi/tla/extensions/competency-identifier"]
    grouping = statement["context"]["contextActivities"]["grouping"]
    wanted = "https://w3id.org/xapi/tla/activity-types/competency-framework"
    framework = next(one["id"] for one in grouping if one["definition"]["type"] == wanted)
    return who, code, framework


def read(world, key):
    return [found for one in poll(world, key)[0] if (found := as_read(one))]


def test_a_competency_that_is_held_is_asserted_with_number_code_and_framework(world, key):
    launch(world)
    holds(world, "gown")

    ((statement,), _) = poll(world, key)

    assert as_read(statement) == ("ULN-1", "GOWN", FRAMEWORK)
    assert statement["actor"]["account"]["homePage"] == f"{world.issuer}/user/idnumber"
    assert statement["verb"]["id"] == ASSERTED
    assert statement["object"]["id"] == f"{FRAMEWORK}#GOWN"
    assert statement["timestamp"] == "2026-10-01T00:00:00Z"
    assert statement["context"]["extensions"] == {"https://w3id.org/engraft/extensions/level": "Tier 2"}


def test_whom_the_platform_gives_no_number_is_told_by_their_address_and_who_has_neither_waits_for_one(world, key):
    launch(world, "5", "")
    launch(world, "6", "", email="")
    holds(world, "gown", sub="5")
    holds(world, "gown", sub="6")
    before = read(world, key)
    counts = results.told_of(world.store, platforms.named(world.store, world.described.id))

    launch(world, "6", "ULN-6", email="")
    drain(world.tenant, ("sync",))

    assert before == [("5@example.org", "GOWN", FRAMEWORK)]
    assert counts == {"users": 2, "unknown": 1, "told": 1}
    assert read(world, key)[1:] == [("ULN-6", "GOWN", FRAMEWORK)]


def test_a_number_that_two_users_have_tells_of_neither_by_it(world, key):
    launch(world, "5", "SAME")
    launch(world, "6", "SAME")
    holds(world, "gown", sub="5")

    assert read(world, key) == [("5@example.org", "GOWN", FRAMEWORK)]
    assert known(world, "5").person != known(world, "6").person
    accounts = [one for sub in "56" for one in identifiers_of(world.store, known(world, sub).person)]
    assert f"{world.issuer}/user/idnumber" not in {one.get("account", {}).get("homePage") for one in accounts}


def test_an_address_that_two_users_have_tells_of_neither_by_it(world, key):
    for sub in "56":
        launch(world, sub, "", email="same@example.org")
    for sub in "56":
        holds(world, "gown", sub=sub)

    assert read(world, key) == []
    counts = results.told_of(world.store, platforms.named(world.store, world.described.id))
    assert counts == {"users": 2, "unknown": 2, "told": 0}


def test_the_number_is_known_as_the_learners_own(world, key):
    launch(world)

    accounts = [one["account"] for one in identifiers_of(world.store, known(world).person) if "account" in one]

    assert {"homePage": f"{world.issuer}/user/idnumber", "name": "ULN-1"} in accounts
    assert key.secret


def test_what_was_told_is_told_once_and_a_higher_level_anew(world, key):
    launch(world)
    holds(world, "gown", ordinal=1, award="one")
    first = poll(world, key)[0]
    holds(world, "gown", ordinal=1, award="one")
    again = poll(world, key)[0]
    holds(world, "gown", ordinal=2, award="two")

    statements = poll(world, key)[0]

    assert [one["id"] for one in first] == [one["id"] for one in again]
    assert [one["context"]["extensions"][results.LEVEL] for one in statements] == ["Tier 1", "Tier 2"]


def test_what_is_lost_is_voided_and_told_anew_when_it_is_held_again(world, key):
    launch(world)
    holds(world, "gown", "clean")
    lost = poll(world, key)[0][0]
    holds(world, "clean")
    left = read(world, key)
    holds(world, "clean", "gown")
    back = poll(world, key)[0]

    assert left == [("ULN-1", "CLEAN", FRAMEWORK)]
    assert sorted(found[1] for one in back if (found := as_read(one))) == ["CLEAN", "GOWN"]
    assert lost["id"] not in {one["id"] for one in back}
    assert world.store.get("statement", lost["id"]).meta["voided"]


def test_a_platform_hears_of_its_own_frameworks_and_its_own_learners_alone(world, key):
    launch(world)
    holds(world, "gown", framework="https://elsewhere.example")
    elsewhere = read(world, key)
    other = world.tool.add(world.tool.platform.described(issuer=f"{world.issuer}.another"))
    foreign = results.turn_on(world.tenant, other, [FRAMEWORK], by="test")
    holds(world, "gown")

    assert elsewhere == []
    assert len(read(world, key)) == 1
    assert read(world, foreign) == []
    post = world.browser.ask(
        "POST",
        "/xapi/statements",
        json={},
        headers={"X-Experience-API-Version": "1.0.3"},
        auth=(foreign.key, foreign.secret),
    )
    assert post.status_code == 403


def test_nothing_is_told_before_it_is_turned_on_nor_after_it_is_off_and_all_of_it_once_it_is_on(world):
    launch(world)
    holds(world, "gown")
    before = world.store.count("statement")

    key = results.turn_on(world.tenant, world.described, [FRAMEWORK], by="test")
    drain(world.tenant, ("sync",))
    on = read(world, key)
    world.store.write(lambda tx: platforms.set_results(tx, world.described.id, (), "test")).result()
    holds(world, "gown", "clean")

    assert world.store.count("statement") == before + 1
    assert (on, read(world, key)) == ([("ULN-1", "GOWN", FRAMEWORK)],) * 2


def test_the_plugin_reads_122_results_in_two_pages(world, key):
    launch(world)
    holds(world, *(f"k{number}" for number in range(122)))

    statements, pages = poll(world, key)

    assert (len(statements), pages) == (122, 2)
    assert len({as_read(one) for one in statements}) == 122
    assert statements == sorted(statements, key=lambda one: one["stored"])


def test_what_a_platform_is_told_proves_nothing_and_nobody_sends_under_its_source(world, key):
    launch(world)
    holds(world, "gown")
    evidence = list(each(world.store, "evidence"))

    with pytest.raises(Misconfigured, match="lrs lms results"):
        create_key(world.tenant, "Engraft results x", ["statements/write"])

    assert evidence == []
    assert key.key


def test_it_is_asked_for_since_the_last_time(world, key):
    launch(world)
    holds(world, "gown")
    (first,) = poll(world, key)[0]
    holds(world, "gown", "clean")

    later, _ = poll(world, key, since=first["stored"])

    assert [as_read(one)[1] for one in later] == ["CLEAN"]


def test_frameworks_and_key_are_one_commit(world, monkeypatch):
    """Else frameworks could be on, and statements be made, that nobody has a key to read."""
    seen, write = [], world.store.write

    def watched(decide, **more):
        done = write(decide, **more)
        done.result()
        on = any(one.id == world.described.id and one.results for one in platforms.everyone(world.store))
        known = any(one.source == results.source_of(world.described.id) for one in known_keys(world.store))
        seen.append((on, known))
        return done

    monkeypatch.setattr(world.store, "write", watched)
    results.turn_on(world.tenant, world.described, [FRAMEWORK], by="test")

    assert set(seen) == {(True, True)}


def test_an_administrator_tells_a_platform_results_by_its_page_and_stops_that(tool, world):
    item = Item("gown", "GOWN", "Gowning", "capability", 1)
    draft = Framework(FRAMEWORK, 1, "draft", "GMP", PRESETS["tiers"], (item,))
    world.store.write(lambda tx: (keep(tx, draft), publish(tx, FRAMEWORK, "test"))).result()
    place, staff = f"/staff/lms/platforms/{world.described.id}/results", tool.staff()
    page = staff.get(place)

    token = next(one["fields"]["form"] for one in forms_of(page.text) if one["action"] == place)
    none = staff.ask("POST", place, data={"form": token, "act": "on"})
    told = staff.send(page, place, act="on", **{"framework-0": FRAMEWORK})
    state = platforms.platform(world.tenant.store, world.described.id)
    keys = world.store.count("key")
    changed = staff.send(staff.get(place), place, act="change", **{"framework-0": FRAMEWORK})
    off = staff.send(staff.get(place), place, act="off")

    assert (none.status_code, "Name at least one framework" in text_of(none)) == (400, True)
    assert "The secret is shown this once" in text_of(told)
    assert state.results == (FRAMEWORK,)
    assert "Results for Moodle" in SourceNames(world.store).known.values()
    assert (changed.headers["location"], world.store.count("key")) == (f"{place}?done=lms_results_changed", keys)
    assert off.headers["location"] == f"{place}?done=lms_results_off"
    assert platforms.platform(world.tenant.store, world.described.id).results == ()
