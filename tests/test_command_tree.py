"""Every command keeps to one convention: found from the command tree itself, so that a new one is held to it.

The convention stands in DECISIONS.md; ``lrs.kernel.printing`` prints by it.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from adapters.lms.lti import platforms
from adapters.lms.lti.platforms import LtiPlatform
from lrs.access.sessions import open_session
from lrs.cli import main
from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.kernel.printing import first_sentence
from lrs.kernel.settings import Settings
from lrs.matching import services
from lrs.matching.consent import answers
from lrs.ops.demo import sample
from lrs.ops.demo.story import FRAMEWORK, LEARNER
from lrs.tenancy.tenants import open_tenant
from tests.adapters.apprenticeship.standard_files import RECORD
from tests.adapters.lms.made import structure, unit
from tests.builders import store_in
from tests.matching.world import put_waiting
from tests.rows import each_of
from tests.served import statement
from tests.xapi.statements.switched import send

ACTS = {
    *("serve", "work", "work retry", "keys revoke", "sessions end", "framework publish"),
    *("persons merge", "persons unmerge", "persons dismiss", "persons trust", "persons under-age"),
    "persons confirm-name",
    *("mail test", "services test"),
    *(
        "badges renew",
        "badges keys rotate",
        "badges issuers trust",
        "badges issuers distrust",
        "badges revoke",
        "badges endorse",
        "badges suspend",
        "badges resume",
        "badges issue",
        "badges claim",
        "badges codes create",
        "badges codes end",
        "badges keys compromise",
        "services disable",
        "services resync",
        "services set",
        "deliveries resend",
        "consent guardian",
    ),
    "outcomes withdraw",
    "employers add",
    *("consent give", "consent withdraw", "consent link", "forward add", "forward pause", "forward resume"),
    *("forward remove", "destinations pause", "destinations resume", "destinations remove"),
    *(f"destinations add {channel.name}" for channel in CHANNELS.values() if channel.own is None),
    *("staff role", "staff disable", "staff enable", "oidc remove"),
    *("lms approve", "lms suspend", "lms rotate", "lms withdraw"),
    "courses catalogue",
    "courses open",
    *("operators revoke", "operators disable", "operators enable"),
    *("tenants suspend", "tenants resume", "tenants delete", "tenants rewrap"),
}
"""They do something and say so in a sentence: without --json."""
STREAMS = {"requests tail"}
"""They print until they are stopped: with --json an object a line."""
ELSEWHERE = {"demo"}
"""It plays for a while: what it prints with --json is read by tests/ops/test_demo.py."""
LISTS = {
    *("keys list", "framework list", "rules list", "rules unmatched", "persons list", "persons suggestions"),
    *(
        "badges list",
        "badges keys list",
        "badges issuers list",
        "badges codes list",
        "services list",
        "deliveries list",
        "consent list",
        "roles list",
        "forward list",
    ),
    *("destinations list", "consent waiting"),
    *("sources list", "quarantine list"),
    *(
        "standards list",
        "imports list",
        "imports missing",
        "checklists list",
        "catalogue list",
        "courses list",
        "lms list",
        "lms sync",
    ),
    *("demand list", "outcomes list", "employers list", "occupations list", "lms invitations"),
    *(
        "staff list",
        "oidc list",
        "operators list",
        "operators people",
        "sessions list",
        "tenants list",
        "tenants usage",
    ),
}
NEVER_EMPTY = {"tenants list", "tenants usage", "badges keys list"}
"""The default tenant is always there, and so is its first key."""
EMPTY_FOR_ALL_THAT = {
    *("badges codes list", "badges issuers list", "persons suggestions", "forward list", "lms sync"),
    *("outcomes list", "employers list", "lms invitations", "imports missing"),
}
"""Lists that the sample programme puts nothing in."""
VERBS = {
    *(
        "Sign",
        "Approve",
        "Disable",
        "Enter",
        "Give",
        "Print",
        "Register",
        "Remove",
        "Trust",
        "Send",
        "Withdraw",
        "Add",
        "Apply",
        "Bring",
        "Change",
        "Check",
        "Confirm",
        "Delete",
        "End",
        "Endorse",
        "Evaluate",
        "Forward",
        "Give",
        "Have",
        "Import",
        "Invite",
        "Issue",
        "Keep",
        "Let",
        "List",
        "Look",
        "Make",
        "Mark",
        "Print",
    ),
    *(
        "Publish",
        "Put",
        "Read",
        "Register",
        "Resume",
        "Revoke",
        "Say",
        "Send",
        "Serve",
        "See",
        "Set",
        "Show",
        "Shut",
        "Suspend",
        "Store",
        "Take",
        "Tell",
        "Turn",
        "Verify",
    ),
    *("Watch", "Withdraw", "Work", "Write"),
}
"""What a help begins with; a new command may bring another."""


def walk(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from walk(command, f"{path}{name} ")


def runs(command: click.Command) -> bool:
    return not isinstance(command, click.Group) or command.invoke_without_command


EVERY = dict(walk(main))
COMMANDS = {name: command for name, command in EVERY.items() if runs(command)}
WITH_JSON = [name for name, one in COMMANDS.items() if any(option.name == "as_json" for option in one.params)]
PRINTING = [name for name in WITH_JSON if name not in STREAMS | ELSEWHERE]


def run(data: Path, *words: object, env: dict[str, str] | None = None) -> Result:
    structlog.reset_defaults()  # other tests of this process have set them; a command begins without
    told = [] if "--data" in words else ["--data", data]
    environment = {"LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]', **(env or {})}
    answer = CliRunner().invoke(main, [*map(str, [*words, *told])], env=environment)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), (words, answer.exception)
    assert "Traceback" not in answer.output
    return answer


def required(command: click.Command, text: str, path: Path) -> list[str]:
    """Words for all that *command* must be given: *text*, or *path* where it is a file, or the first of a choice."""
    words: list[str] = []
    for param in command.params:
        if param.required:
            kind = param.type
            value = str(path) if isinstance(kind, click.Path) else text
            value = str(kind.choices[0]) if isinstance(kind, click.Choice) else value
            value = "1" if isinstance(kind, click.IntRange) else value
            words += [value] if isinstance(param, click.Argument) else [param.opts[0], value]
    return words


# -- what is promised of each -----------------------------------------------------------------------------------------


@each_of("name", EVERY)
def test_a_help_is_one_sentence_that_begins_with_a_verb(name: str) -> None:
    told = first_sentence(EVERY[name])

    assert re.fullmatch(r"[^.]+(\.\S[^.]*)*\.", told), told
    assert told.split()[0].rstrip(",") in VERBS, f"{told}: is that a verb? then say so in VERBS"


@each_of("name", COMMANDS)
def test_each_option_has_a_help_that_ends_with_a_full_stop(name: str) -> None:
    options = [one for one in COMMANDS[name].params if isinstance(one, click.Option) and not one.hidden]

    assert [one.name for one in options if not (one.help or "").endswith(".")] == []


def test_each_command_prints_json_or_is_known_to_do_something_only() -> None:
    assert {name for name in COMMANDS if name not in WITH_JSON} == ACTS


@each_of("name", COMMANDS)
def test_a_wrong_option_ends_with_two(name: str, tmp_path: Path) -> None:
    answer = run(tmp_path, *name.split(), "--no-such-option")

    assert answer.exit_code == 2
    assert "No such option" in answer.stderr
    assert answer.stdout == ""


@each_of("name", [name for name, one in COMMANDS.items() if required(one, "", Path())])
def test_what_is_missing_ends_with_two(name: str, tmp_path: Path) -> None:
    answer = run(tmp_path, *name.split())

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "Missing" in answer.stderr


FILES = [
    (name, param.name)
    for name, one in COMMANDS.items()
    for param in one.params
    if isinstance(param.type, click.Path) and param.name not in {"data", "out"}
]


@each_of(("name", "file"), FILES)
def test_a_file_that_is_not_there_is_named(name: str, file: str, tmp_path: Path) -> None:
    missing, there = tmp_path / "missing" / "file", tmp_path / "there"
    there.write_text("{}")
    (param,) = [one for one in COMMANDS[name].params if one.name == file]
    words = required(COMMANDS[name], "x", missing if param.required else there)

    answer = run(tmp_path / "data", *name.split(), *words, *([] if param.required else [param.opts[0], missing]))

    assert answer.exit_code in {1, 2}
    assert answer.stdout == ""
    assert str(missing) in answer.stderr or "there is no store" in answer.stderr


RUN_ON = {"serve", "work", "demo", "requests tail", "imports watch"}
"""They wait, or play for a while."""


@each_of("name", [name for name in COMMANDS if name not in RUN_ON])
def test_in_a_folder_that_is_not_there_nothing_is_made_and_nothing_was_done(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mistyped" / name.replace(" ", "-")

    answer = run(folder, *name.split(), *required(COMMANDS[name], "nothing-such", folder / "missing"))

    assert folder.exists() == (name == "tenants create")
    assert (answer.exit_code == 0) == (name in {"tenants create", "doctor"})


@each_of("name", PRINTING)
def test_on_an_empty_store_json_is_one_document_or_there_is_an_error(name: str, tmp_path: Path) -> None:
    asked = required(COMMANDS[name], "nothing-such", tmp_path / "missing")

    answer = run(tmp_path / name, *name.split(), *asked, "--json")

    if answer.stdout:
        json.loads(answer.stdout)
    else:
        assert answer.exit_code in {1, 2}
        assert answer.stderr.startswith(("Error: ", "Usage: "))


@each_of("name", sorted(LISTS - NEVER_EMPTY))
def test_an_empty_list_is_said_in_a_sentence_and_is_an_empty_array(name: str, tmp_path: Path) -> None:
    open_tenant(Settings(data=tmp_path)).store.close()

    told, shown = run(tmp_path, *name.split()), run(tmp_path, *name.split(), "--json")

    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (0, "", 1)
    assert re.match(r"(there (are|is) no|no rules|nothing is)", told.stderr)
    assert (shown.exit_code, shown.stdout) == (0, "[]\n")


def test_a_log_line_does_not_stand_in_what_a_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def logs(_: object) -> list[object]:
        structlog.get_logger().warning("something is odd")
        return []

    open_tenant(Settings(data=tmp_path)).store.close()
    monkeypatch.setattr("lrs.access.commands.list_keys", logs)

    assert run(tmp_path, "keys", "list", "--json").stdout == "[]\n"


# -- on a store with something in it ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """Runs a command on a store that has one of everything; what it is about is put in the place of its name."""
    folder = tmp_path_factory.mktemp("filled")
    data, files = folder / "data", folder / "sample"
    sample.write(files, date(2026, 11, 20))

    def done(*words: object) -> str:
        answer = run(data, *words)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    store_in(data)
    done("framework", "import", files / "framework.csv", "--id", FRAMEWORK)
    done("framework", "publish", FRAMEWORK)
    for source in ("online-platform", "training-centre", "apprenticeship-provider"):
        done("keys", "create", "--name", source)
    done("rules", "apply", files / "rules.csv")
    done("roles", "import", files / "roles.csv")
    done("adapter", "run", "training-centre", files / "training-centre.csv", "--provider", "training-centre")
    made = ("--scopes", "profiles:read", "--purpose", "To suggest jobs", "--json")
    done("services", "add", "Converter", "--webhook", "http://127.0.0.1:9/hook", *made)
    done("consent", "give", LEARNER, "converter")
    done("operators", "create", "--name", "prometheus")
    done("operators", "invite", "olga@example.org")
    (folder / "cmi5.xml").write_bytes(structure(unit(url="https://content.example/")))
    done("courses", "import", folder / "cmi5.xml")
    (folder / "checklists.csv").write_text("checklist,text\ngowning,Hands washed\n")
    done("checklists", "import", folder / "checklists.csv", "--centre", "north")
    (folder / "standard.json").write_text(RECORD)
    done("standards", "import", folder / "standard.json")
    (folder / "catalogue.csv").write_text("offering,title\ngowning,Gowning basics\n")
    done("catalogue", "import", folder / "catalogue.csv")
    want_people(folder, done)
    store_a_platform(data)
    done("staff", "invite", "sam@centre.example", "--role", "steward")
    done("oidc", "add", "university", "--issuer", "http://127.0.0.1:9", "--client-id", "engraft")
    tenant = open_tenant(Settings(data=data))
    drain(tenant, ["refs", "match", "evaluate", "issue", "sync"])
    open_session(tenant, "key default.0000000000000000")
    put_waiting(tenant, services.wanted(tenant.store, "converter"), f"mailto:{LEARNER}", "Ana")
    (waits,) = answers.waiting(tenant.store)
    (aside,) = send(tenant, statement(object={"objectType": "GroupActivity", "id": "https://lms.example/group"}))
    tenant.store.close()
    (folder / "badge.json").write_text(done("badges", "show", json.loads(done("badges", "list", "--json"))[0]["id"]))
    done("backup", folder / "backup.tar")
    badge = json.loads((folder / "badge.json").read_text())["id"]
    brought = json.loads(done("imports", "list", "--json"))[0]["id"]
    names: dict[str, object] = {
        "IMPORT": brought,
        "BADGE": badge,
        "LEARNER": LEARNER,
        "ROLE": json.loads(done("roles", "list", "--json"))[0]["id"],
        "RECEIPT": waits.receipt,
        "FOLDER": folder,
        "SAMPLE": files,
        "ASIDE": aside,
        "NUMBER": 0,
    }
    numbers = count()

    def on_filled(name: str, *more: str) -> Result:
        names["NUMBER"] = next(numbers)  # what can be made once only is another each time
        words = [re.sub("|".join(names), lambda found: str(names[found[0]]), word) for word in WORDS.get(name, ())]
        return run(data, *name.split(), *words, *more, env={"LRS_MASTER_KEY_FILE": str(data / "master.key")})

    return on_filled


def want_people(folder: Path, done: Callable[..., str]) -> None:
    """Brings in postcode districts, and how many people are wanted in the first role."""
    (folder / "districts.csv").write_text("district,region\nSG1,East\n")
    done("demand", "regions", folder / "districts.csv")
    (folder / "esco").mkdir()
    for name, text in (
        ("occupations", "conceptUri,preferredLabel\nhttps://esco.example/o,brewer\n"),
        ("skills", "conceptUri,preferredLabel\nhttps://esco.example/s,brew\n"),
        (
            "occupationSkillRelations",
            "occupationUri,relationType,skillUri\nhttps://esco.example/o,essential,https://esco.example/s\n",
        ),
    ):
        (folder / "esco" / f"{name}.csv").write_text(text)
    done("occupations", "import", folder / "esco")
    role = json.loads(done("roles", "list", "--json"))[0]["id"]
    (folder / "demand.csv").write_text(f"role,region,year,headcount\n{role},East,2028,40\n")
    done("demand", "import", folder / "demand.csv")


def store_a_platform(data: Path) -> None:
    """Registers a learning platform, which waits for its approval."""
    tenant = open_tenant(Settings(data=data))
    address = "https://moodle.example.org"
    id = platforms.platform_id(address, "1")
    made = LtiPlatform(id, "Moodle", address, "1", address, address, address, created=0)
    tenant.store.write(lambda tx: platforms.add(tx, made, "test")).result()
    tenant.store.close()


WORDS: dict[str, tuple[str, ...]] = {
    "keys create": ("--name", "another"),
    "adapter run": ("training-centre", "SAMPLE/training-centre.csv", "--provider", "training-centre"),
    "imports show": ("IMPORT",),
    "imports watch": ("IMPORT",),
    "persons show": ("LEARNER",),
    "checklists import": ("FOLDER/checklists.csv", "--centre", "north"),
    "standards import": ("FOLDER/standard.json",),
    "standards show": ("ST1406",),
    "catalogue import": ("FOLDER/catalogue.csv",),
    "occupations import": ("FOLDER/esco",),
    "plan show": ("--person", "LEARNER", "--role", "ROLE"),
    "demand import": ("FOLDER/demand.csv",),
    "demand regions": ("FOLDER/districts.csv",),
    "courses import": ("FOLDER/cmi5.xml",),
    "courses show": ("1",),
    "lms invite": ("Moodle",),
    "lms results": ("Moodle",),
    "sources name": ("online-platform", "Northgate Online NUMBER"),
    "sources switch": ("online-platform", "--on", "quarantine"),
    "quarantine show": ("ASIDE",),
    "quarantine replay": ("ASIDE",),
    "framework import": ("SAMPLE/framework.csv", "--id", FRAMEWORK),
    "rules apply": ("SAMPLE/rules.csv",),
    "rules check": ("SAMPLE/rules.csv",),
    "rules explain": ("LEARNER",),
    "rules restore": ("1",),
    "badges show": ("BADGE",),
    "badges status-list": ("BADGE",),
    "badges endorsements": ("BADGE",),
    "badges export": ("--out", "FOLDER/exported"),
    "badges verify": ("FOLDER/badge.json", "--offline"),
    "roles import": ("SAMPLE/roles.csv",),
    "services add": ("Another NUMBER", "--scopes", "profiles:read", "--purpose", "To suggest jobs"),
    "services rotate": ("converter",),
    "consent show": ("RECEIPT",),
    "persons invite": ("LEARNER",),
    "staff invite": ("kim@centre.example", "--role", "provider:north"),
    "staff recover": ("sam@centre.example",),
    "staff sign-in": ("sam@centre.example",),
    "oidc add": ("university", "--issuer", "http://127.0.0.1:9", "--client-id", "engraft"),
    "oidc check": ("university",),
    "operators create": ("--name", "prometheus"),
    "operators invite": ("kim@example.org",),
    "operators recover": ("olga@example.org",),
    "operators sign-in": ("olga@example.org",),
    "tenants create": ("another-NUMBER",),
    "tenants show": ("default",),
    "tenants set": ("default", "--name", "The network"),
    "backup": ("FOLDER/another-NUMBER.tar",),
    "restore": ("FOLDER/backup.tar", "--data", "FOLDER/restored-NUMBER"),
}
"""How each command that must be given something is called on the sample programme."""
ENDS_WITH_ONE = {"doctor", "oidc check", "quarantine replay", "lms invite"}
"""No worker runs for that store, no sign-in provider answers, what is invalid stays so, no https: problems."""


@each_of("name", PRINTING)
def test_json_is_one_document_and_nothing_else(name: str, filled: Callable[..., Result]) -> None:
    assert name in WORDS or not required(COMMANDS[name], "", Path()), "say in WORDS how it is called"

    answer = filled(name, "--json")

    assert answer.exit_code == (1 if name in ENDS_WITH_ONE else 0), answer.output
    if answer.exit_code == 0 or answer.stdout:
        shown = json.loads(answer.stdout)
        assert isinstance(shown, list if name in LISTS or name == "persons nobody" else dict)
        if name in LISTS - EMPTY_FOR_ALL_THAT:
            assert shown


@each_of("name", sorted(LISTS - EMPTY_FOR_ALL_THAT))
def test_a_list_has_aligned_columns_under_a_heading(name: str, filled: Callable[..., Result]) -> None:
    answer = filled(name)

    heading, *rows = answer.stdout.splitlines()
    assert heading == heading.upper()
    starts = [found.start() for found in re.finditer(r"(?<!\S)\S+(?: \S+)*", heading)]
    assert len(rows) == len(json.loads(filled(name, "--json").stdout))
    for row in rows:
        assert {row[start - 2 : start] for start in starts[1:]} == {"  "}, row
        assert " " not in {row[start] for start in starts}, row


def test_a_new_list_is_held_to_it_too(filled: Callable[..., Result]) -> None:
    arrays = {name for name in PRINTING if (text := filled(name, "--json").stdout) and text.startswith("[")}

    assert arrays == {*LISTS, "persons nobody"}
