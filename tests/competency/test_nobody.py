"""Names for nobody: guests and anonymous visitors prove nothing, and what they once proved is taken back."""

from hashlib import sha1

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.competency.explain import explain
from lrs.competency.rebuild import rebuild
from lrs.competency.rules.walk import read_again
from lrs.competency.strangers import counted_for_nobody
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.ops.doctor import of_strangers
from lrs.people.identifiers import NOBODY
from lrs.people.ids import identified, ids_of
from lrs.people.joins import link, trust
from lrs.people.nobody import put_names
from lrs.people.persons import minter
from tests.competency.world import ANN, World, statement

pytestmark = pytest.mark.mongo_in_soak

HOME = "https://moodle.example"
GUEST = {"account": {"homePage": HOME, "name": "Guest"}}
NAMELESS = {"account": {"homePage": HOME, "name": ""}}
ROOT = {"mbox": "mailto:root@localhost"}
NOBODIES = {
    "a guest": (GUEST, "guest is a name for nobody"),
    "somebody anonymous": ({"account": {"homePage": "https://other.example", "name": " anonymous "}}, "anonymous is"),
    "an account without a name": (NAMELESS, "an account without a name stands for nobody"),
    "an account with a blank for a name": ({"account": {"homePage": HOME, "name": " "}}, "an account without a name"),
    "a guest's mailbox": (ROOT, "root@localhost is a name for nobody"),
    "a guest's mailbox in capitals": ({"mbox": "mailto:Root@LocalHost"}, "root@localhost is a name for nobody"),
    "a guest's mailbox as its hash": (
        {"mbox_sha1sum": sha1(b"mailto:root@localhost").hexdigest().upper()},
        "root@localhost is a name for nobody",
    ),
}


@pytest.fixture
def world(tmp_path, store_url):
    made = World(tmp_path, url=store_url)
    yield made
    made.close()


def names(world, source, *listed):
    """Sets a list as the command does."""

    def decide(tx):
        assert put_names(tx, source, listed, "test")
        read_again(tx, source)

    world.write(decide)
    world.work()


@pytest.mark.parametrize("who", NOBODIES)
def test_strangers_under_a_name_for_nobody_are_no_person_and_hold_nothing(world, who):
    actor, reason = NOBODIES[who]
    world.send(statement("one", actor))
    world.send(statement("two", actor))
    world.work()

    assert (world.store.count("person"), world.store.count("identifier"), world.all("award")) == (0, 0, [])
    told = {one["reason"] for one in world.all("evidence")}
    assert len(told) == 1
    assert told.pop().startswith(reason)


def test_an_operator_who_asks_for_a_guest_is_told_why_nothing_counts(world):
    world.send(statement("one", GUEST))
    world.work()

    found = explain(world.tenant, f"{HOME}|Guest")

    assert found.person is None
    assert [one.reason for answer in found.answers for one in answer.evidence] == ["guest is a name for nobody"]


@pytest.mark.parametrize("name", ["guest1", "Anonymous Bosch", "root@localhost.example", "0"])
def test_names_that_only_resemble_one_for_nobody_are_somebodys(world, name):
    world.send(statement("one", {"account": {"homePage": HOME, "name": name}}))
    world.work()

    assert (world.store.count("person"), len(world.awards())) == (1, 1)


def test_each_source_has_its_own_names_for_nobody(world):
    names(world, "vle", "1", "mailto:Visitor@vle.example")
    first = {"account": {"homePage": HOME, "name": "1"}}
    for number, actor in enumerate([first, {"mbox": "mailto:visitor@vle.example"}, NAMELESS, GUEST]):
        world.send(statement(f"vle {number}", actor))
    world.send(statement("centre", first, activity="https://vle.example/aseptic"), source="centre")
    world.work()

    assert world.store.count("person") == 2
    assert {one["person"] for one in world.awards()} == {world.person(GUEST), world.person(first)}
    assert [one["source"] for one in world.all("evidence") if one["reason"] is None] == ["vle", "centre"]


def test_what_a_guest_held_is_taken_back_when_the_name_is_listed_and_given_again_when_it_is_not(world):
    names(world, "vle")
    world.send(statement("one", GUEST))
    world.send(statement("two", ANN))
    world.work()
    assert len(world.awards()) == 2

    names(world, "vle", *NOBODY)
    assert [one["person"] for one in world.awards()] == [world.person(ANN)]
    assert [one["person"] for one in world.awards("withdrawn")] == [world.person(GUEST)]
    assert not rebuild(world.tenant, TENANT, apply=False)

    names(world, "vle")
    assert len(world.awards()) == 2
    assert not rebuild(world.tenant, TENANT, apply=False)


def test_a_list_that_changes_twice_before_the_statements_were_read_again_is_read_again_once_more(world):
    world.send(statement("one", GUEST))
    world.work()

    for listed in ([], ["guest"], []):
        world.write(lambda tx, listed=listed: (put_names(tx, "vle", listed, "test"), read_again(tx, "vle")))
    world.work()

    assert len(world.awards()) == 1


def test_of_an_anonymous_group_only_members_with_an_identifier_get_an_entry(world):
    group = {"objectType": "Group", "member": [GUEST, ANN]}
    world.send(statement("one", group))
    world.work()

    assert world.store.count("person") == 1
    assert world.awards() == []
    assert world.person(ANN)


def test_nobody_is_joined_with_anybody_even_by_an_authority(world):
    world.write(lambda tx: trust(tx, "staff", "test"))
    ids = ids_of(world.tenant)
    guest, ann = identified(GUEST, ids), identified(ANN, ids)
    one = identified({"account": {"homePage": HOME, "name": "1"}}, ids)
    world.write(lambda tx: put_names(tx, "staff", ["1"], "test"))

    def joined(first, source):
        return world.write(lambda tx: link(tx, first, ann, source=source, mint=minter(b"secret")))

    assert joined(one, "staff") == "nobody"
    assert joined(guest, "vle") == "nobody"
    assert joined(guest, "staff") == "joined"


def test_doctor_tells_of_guests_that_became_a_person_before_and_what_to_do(world):
    assert list(of_strangers(world.tenant)) == []
    names(world, "vle")
    world.send(statement("one", GUEST))
    world.work()
    world.write(lambda tx: tx.delete("nobody-names", "vle"))  # as an earlier version left it: no list, and a person

    (finding,) = of_strangers(world.tenant)

    assert counted_for_nobody(world.store) == {"vle": 1}
    assert (finding.check, finding.status) == ("strangers vle", "warning")
    assert "lrs persons nobody vle --default reads again what it sent" in finding.message


# -- the command ----------------------------------------------------------------------------------------------------


on_one_engine = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""A command opens a MongoDB database by the tenant's name, which the world does not do."""


@pytest.fixture
def run(world, tmp_path, store_url):
    world.send(statement("one", GUEST))
    world.work()
    (tmp_path / "master.key").write_text((b"k" * 32).hex())
    (tmp_path / "master.key").chmod(0o600)

    def run(*words, exit_code=0):
        environment = {"LRS_STORE_URL": store_url}
        answer = CliRunner().invoke(main, ["persons", "nobody", *words, "--data", str(tmp_path)], env=environment)
        assert answer.exit_code == exit_code, answer.output
        return answer.output

    return run


@on_one_engine
def test_the_command_shows_sets_and_takes_away_names(run):
    default = "anonymous, guest, root@localhost; and accounts without a name\n"
    assert run() == f"every source without a list of its own: {default}"
    assert run("vle") == f"vle: {default}"

    again = "what it has sent is read again\n"
    assert run("vle", "--none") == f"vle: no names; and accounts without a name\n{again}"
    assert run("vle", "Guest", "1") == f"vle: 1, guest; and accounts without a name\n{again}"
    assert run("vle", "1", "GUEST").endswith("nothing changed: that is its list already\n")
    assert run().endswith("vle: 1, guest; and accounts without a name\n")
    assert run("vle", "--default") == f"vle: {default}{again}"


@on_one_engine
@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("vel", "guest"), 1, "no key is called vel, and nothing came from it"),
        (("vle", " "), 1, "a name is empty"),
        (("vle", "guest", "--none"), 2, "give names, --default or --none"),
        (("--none",), 2, "name the SOURCE"),
    ],
)
def test_the_command_says_what_cannot_be(run, words, exit_code, told):
    assert told in run(*words, exit_code=exit_code)


def test_asking_for_somebody_never_heard_of_is_refused(world):
    with pytest.raises(Refused, match="nobody is known"):
        explain(world.tenant, f"{HOME}|guest")
