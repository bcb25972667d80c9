"""Learners are found by what people know of them: a name, any identifier, or a part of either."""

import json
from hashlib import sha1

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.competency.explain import explain
from lrs.kernel.errors import Refused
from lrs.people import search as searching
from lrs.people import told_names
from lrs.people.ids import identified, ids_of
from lrs.people.joins import merge
from lrs.people.persons import holders
from lrs.people.search import found_one, search
from lrs.people.sent_names import name_of
from lrs.people.told_names import Called
from tests.competency.world import ANN, World, statement

ZOE = {"name": "Zoë Müller", "account": {"homePage": "https://vle.example", "name": "u1001"}}
ANNA = {"name": "Anna Smith", "mbox": "mailto:Anna.Smith@example.org"}
JO = {"name": "Joanna Smithson", "openid": "https://jo.example/"}
NAMELESS = {"account": {"homePage": "https://vle.example", "name": "1002"}}
HASHED = {"mbox_sha1sum": sha1(b"mailto:kim@example.org").hexdigest()}


def filled(folder, url):
    made = World(folder, url=url)
    for number, actor in enumerate([ZOE, ANNA, JO, NAMELESS, HASHED]):
        made.send(statement(f"{number}", actor))
        made.work()
    return made


@pytest.fixture(scope="module")
def known(tmp_path_factory, shared_store_url):
    """A world for those who only look."""
    made = filled(tmp_path_factory.mktemp("known"), shared_store_url)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path, store_url):
    made = filled(tmp_path, store_url)
    (tmp_path / "master.key").write_text((b"k" * 32).hex())
    (tmp_path / "master.key").chmod(0o600)
    yield made
    made.close()


def found(world, text):
    return [one.person for one in search(world.tenant, text).found]


FOUND = [
    ("zoe", [ZOE]),
    ("MULLER zoë", [ZOE]),
    ("Anna", [ANNA, JO]),
    ("smith", [ANNA, JO]),
    ("anna smith", [ANNA, JO]),
    ("Joanna", [JO]),
    ("u1001", [ZOE]),
    ("U1001", [ZOE]),
    ("https://vle.example|u1001", [ZOE]),
    ("1002", [NAMELESS]),
    ("100", [NAMELESS, ZOE]),
    ("anna.smith@EXAMPLE.org", [ANNA]),
    ("mailto:anna.smith@example.org", [ANNA]),
    ("jo.example", [JO]),
    (HASHED["mbox_sha1sum"].upper(), [HASHED]),
    ("kim@example.org", [HASHED]),
    ("nobody here", []),
    ("", []),
    (" ", []),
    ("smith zoe", []),
]
"""What is looked for, and who is found by it in this order."""


def test_a_learner_is_found_by_a_name_or_any_identifier_or_a_part_of_one(known):
    told = {text: found(known, text) for text, _ in FOUND}

    assert told == {text: [known.person(one) for one in who] for text, who in FOUND}


def test_whole_words_come_before_parts_of_them_where_not_all_can_be_listed(known, monkeypatch):
    monkeypatch.setattr(searching, "LISTED", 1)

    one = search(known.tenant, "smith")

    assert [each.name for each in one.found] == ["Anna Smith"]
    assert not one.whole


def test_of_equally_close_ones_the_first_by_id_are_listed_however_they_are_called(known, monkeypatch):
    everybody = sorted(each.person for each in search(known.tenant, "m").found)
    monkeypatch.setattr(searching, "LISTED", 2)

    one = search(known.tenant, "m")

    assert len(everybody) == 3
    assert (sorted(each.person for each in one.found), one.whole) == (everybody[:2], False)


def test_a_search_that_does_not_look_at_all_says_so(known, monkeypatch):
    monkeypatch.setattr(searching, "LOOKED_THROUGH", 3)

    assert (found(known, "zoe"), search(known.tenant, "zoe").whole) == ([], False)
    assert (found(known, "joanna"), search(known.tenant, "joanna").whole) == ([known.person(JO)], False)


def test_a_search_of_a_page_looks_for_parts_at_the_newest_identifiers_only_and_says_so(known, monkeypatch):
    monkeypatch.setattr(searching, "LOOKED_THROUGH", 2)
    monkeypatch.setattr(searching, "MOST", 3)

    assert (found(known, "anna.smith"), search(known.tenant, "anna.smith").whole) == ([], False)
    assert found(known, "Anna.Smith@example.org") == [known.person(ANNA)]
    assert found_one(known.tenant, "anna.smith") == known.person(ANNA)


def test_a_search_reads_no_more_persons_than_are_listed_and_stops_there(known, monkeypatch):
    monkeypatch.setattr(searching, "_PAGE", 1)
    monkeypatch.setattr(searching, "LISTED", 1)
    asked = []
    monkeypatch.setattr(searching, "holders", lambda reader, some: asked.extend(some) or holders(reader, some))

    one = search(known.tenant, "e")

    assert (len(one.found), one.whole, len(asked)) == (1, False, 2)


@pytest.mark.mongo_in_soak
def test_whoever_was_seen_long_ago_is_found_by_a_part_of_an_identifier_and_is_not_passed_over_for_another(
    world, monkeypatch
):
    monkeypatch.setattr(searching, "LOOKED_THROUGH", 3)

    assert found(world, "u100") == [world.person(ZOE)]
    assert found_one(world.tenant, "zoe") == world.person(ZOE)
    world.send(statement("namesake", {"name": "Hanna", "mbox": "mailto:h@example.org"}))
    world.work()
    with pytest.raises(Refused, match="several are known as nna"):
        found_one(world.tenant, "nna")


@pytest.mark.mongo_in_soak
def test_the_name_is_that_of_the_newest_statement_and_a_members_too(world):
    world.send(statement("later", {**ANNA, "name": "Anna Brown"}))
    world.send(statement("nameless", {"mbox": ANNA["mbox"]}))
    world.send(statement("group", {"objectType": "Group", "name": "Crew", "member": [JO, {**NAMELESS, "name": "Kit"}]}))

    assert name_of(world.store, {"mbox": ANNA["mbox"]}) == "Anna Brown"
    assert found(world, "brown") == [world.person(ANNA)]
    assert name_of(world.store, NAMELESS) == "Kit"
    assert name_of(world.store, {"mbox": "mailto:unheard@example.org"}) is None

    ann = identified(ANNA, ids_of(world.tenant))
    world.write(lambda tx: told_names.keep(tx, "register", [told_names.Called(ann, "Anna Green")]))
    told = [name_of(world.store, {"mbox": ANNA["mbox"]}, source) for source in (None, "register", "vle", "other")]
    assert told == ["Anna Green", "Anna Green", "Anna Brown", None]


@pytest.mark.mongo_in_soak
def test_those_who_are_one_person_are_found_as_who_holds_for_them(world):
    holder = world.write(lambda tx: merge(tx, world.person(ZOE), world.person(JO), "test"))

    assert found(world, "jo.example") == found(world, "zoe") == found(world, "u1001") == [holder]


def test_one_is_explained_by_name_and_several_are_named(known):
    one = explain(known.tenant, "zoe müller")

    assert (one.person, one.name, len(one.answers)) == (known.person(ZOE), "Zoë Müller", 1)
    with pytest.raises(Refused) as several:
        explain(known.tenant, "smith")
    assert several.value.message == (
        f"several are known as smith, name one by its id: {known.person(ANNA)} Anna Smith (Anna.Smith@example.org);"
        f" {known.person(JO)} Joanna Smithson (https://jo.example/)"
    )
    assert found_one(known.tenant, "nobody here") is None


# -- the commands ---------------------------------------------------------------------------------------------------


on_one_engine = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""A command opens a MongoDB database by the tenant's name, which the world does not do."""


@pytest.fixture
def run(world, tmp_path, store_url):
    assert world.store.count("person") == 5

    def run(*words, exit_code=0):
        environment = {"LRS_STORE_URL": store_url}
        answer = CliRunner().invoke(main, [*words, "--data", str(tmp_path)], env=environment)
        assert answer.exit_code == exit_code, answer.output
        return answer.output

    return run


@on_one_engine
def test_persons_are_listed_with_names_and_by_a_part_of_one(world, run):
    assert run("persons", "list", "zoe").splitlines() == [
        f"PERSON{' ' * 30}  NAME        IDENTIFIERS",
        f"{world.person(ZOE)}  Zoë Müller  https://vle.example|u1001",
    ]
    assert len(run("persons", "list").splitlines()) == 6
    (shown,) = json.loads(run("persons", "list", "muller", "--json"))
    assert (shown["person"], shown["name"], shown["merged"]) == (world.person(ZOE), "Zoë Müller", [])
    assert "\nname         Zoë Müller\n" in run("persons", "show", "zoe")
    assert "nobody is known as nobody here" in run("persons", "list", "nobody here", exit_code=1)
    assert "several are known as smith" in run("persons", "show", "smith", exit_code=1)


@on_one_engine
def test_lists_of_badges_and_consents_and_an_explanation_take_a_name(world, run):
    assert run("rules", "explain", "zoe").startswith(f"person {world.person(ZOE)} (Zoë Müller), rules version 1\n")
    assert run("badges", "list", "--holder", "zoe", "--json") == "[]\n"
    assert run("consent", "list", "zoe", "--json") == "[]\n"
    for words in (("rules", "explain", "smith"), ("badges", "list", "--holder", "smith"), ("consent", "list", "smith")):
        assert "several are known as smith" in run(*words, exit_code=1)
    assert "nobody here is known as nobody" in run("badges", "list", "--holder", "nobody", exit_code=1)


@on_one_engine
def test_what_changes_something_takes_no_part_of_a_name(run):
    for words in (("persons", "merge", "zoe", "joanna"), ("persons", "unmerge", "zoe")):
        assert "nobody is known as zoe; lrs persons list finds ids by a part of a name" in run(*words, exit_code=1)
    assert "name the learner by id" in run("consent", "withdraw", "zoe", exit_code=1)


@on_one_engine
def test_a_name_that_would_steer_a_terminal_is_shown_as_it_is_written(world, run):
    world.send(statement("evil", {**ZOE, "name": "Zoë\x1b[2J\nperson x"}))

    assert "  Zoë\\x1b[2J\\nperson x  https" in run("persons", "list", "u1001")
    assert "(Zoë\\x1b[2J\\nperson x)" in run("rules", "explain", "u1001")
    world.send(statement("twin", {**NAMELESS, "name": "Zoë Brown"}))
    for words in (("rules", "explain", "zoe"), ("consent", "list", "zoe"), ("persons", "show", "zoe")):
        told = run(*words, exit_code=1)
        assert "Zoë\\x1b[2J\\nperson x (u1001)" in told
        assert "\x1b" not in told
        assert told.count("\n") == 1


def test_a_name_that_a_file_told_is_that_of_its_source_alone(world):
    world.send(statement("one", ANN))
    world.work()
    ann, store = identified(ANN, ids_of(world.tenant)), world.store
    for source, text in (("vle", "Ann V"), ("centre", "Ann C")):
        world.write(lambda tx, source=source, text=text: told_names.keep(tx, source, [Called(ann, text)]))

    told = [name_of(store, ANN, source) for source in (None, "vle", "centre", "south")]

    assert told == ["Ann C", "Ann V", "Ann C", None]
