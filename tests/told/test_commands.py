"""What every command prints, with which code it ends, and what it refuses: on an empty store, and on a sample programme."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import closing
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from lrs.access.sessions import open_session
from lrs.cli import main
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.matching import services
from lrs.matching.consent import answers
from lrs.ops import import_commands
from lrs.ops.demo import sample
from lrs.ops.demo.story import FRAMEWORK, LEARNER
from lrs.storage import records
from lrs.tenancy import audit
from lrs.tenancy.control import open_control
from lrs.tenancy.tenants import open_tenant
from tests.adapters.apprenticeship.standard_files import RECORD
from tests.adapters.lms.made import structure, unit
from tests.badges.made import NOON
from tests.builders import store_in
from tests.matching.world import put_waiting
from tests.served import statement
from tests.test_command_tree import COMMANDS, WITH_JSON, required, store_a_platform, want_people
from tests.told.story import Story, inline
from tests.xapi.statements.switched import send

NOT_HERE = {
    "serve",
    "work",
    "demo",
    "requests tail",
    "imports watch",
    "restore",
    "backup",
    "tenants migrate",
    "work status",
    "doctor",
}
"""They run on, play for a while, or say how fast and how large something is."""


PASSING = re.compile(r"^[0-9-]{10} [0-9:]{8} \[|(rows so far|: being read)$")
"""Lines of the log, and how far a command is: they come when they come."""


class Terminal:
    """Runs commands on the store in *folder*, and tells each with what it prints: *names* stand for what is long."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.story = folder, folder / "data", Story()
        self.names: dict[str, object] = {"FOLDER": folder}

    def run(self, line: str, *, silent: bool = False, typed: str = "") -> str:
        words = [re.sub("|".join(self.names), lambda one: str(self.names[one[0]]), word) for word in shlex.split(line)]
        env = {"LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]', "COLUMNS": "100"}
        told = [] if "--data" in words else ["--data", str(self.data)]
        answer = CliRunner().invoke(main, [*words, *told], env=env, input=typed)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), (line, answer.exception)
        if silent:
            assert answer.exit_code == 0, answer.output
        else:
            code = f"  [{answer.exit_code}]" if answer.exit_code else ""
            self.story.say(f"$ lrs {line}{code}", *self._lines("", answer.stdout), *self._lines("! ", answer.stderr))
        return answer.stdout

    def json(self, line: str) -> Any:
        return json.loads(self.run(f"{line} --json", silent=True))

    def _lines(self, before: str, text: str) -> list[str]:
        lines = [one for one in text.splitlines() if not PASSING.search(one)]
        return [f"{before}{one}".replace(str(self.folder), "FOLDER").rstrip() for one in lines]


@pytest.fixture
def terminal(tmp_path, draws, monkeypatch):
    """The clock of every store stands at noon of 21 November 2026."""
    assert draws
    monkeypatch.setattr(records, "time", SimpleNamespace(time_ns=lambda: NOON * 1_000))
    monkeypatch.setattr(import_commands, "QUIET", 3600.0)  # a busy machine takes long, and that is not told
    return Terminal(tmp_path)


def test_commands_on_an_empty_store(told, terminal):
    open_tenant(Settings(data=terminal.data)).store.close()
    for name, command in COMMANDS.items():
        if name not in NOT_HERE:
            terminal.run(shlex.join([*name.split(), *required(command, "nothing-such", Path("FOLDER/missing"))]))

    told(str(terminal.story))


@pytest.fixture
def programme(terminal):
    """The terminal of an organisation that has one of everything."""
    folder, files = terminal.folder, terminal.folder / "sample"
    sample.write(files, date(2026, 11, 20))
    (folder / "cmi5.xml").write_bytes(structure(unit(url="https://content.example/")))
    (folder / "checklists.csv").write_text("checklist,text\ngowning,Hands washed\n")
    (folder / "standard.json").write_text(RECORD)
    (folder / "catalogue.csv").write_text("offering,title\ngowning,Gowning basics\n")
    (folder / "odd.csv").write_text("offering,title\n,Nothing\ngowning\n")
    store_in(terminal.data)
    for line in SET_UP.strip().splitlines():
        terminal.run(line)
    want_people(folder, lambda *words: terminal.run(shlex.join(map(str, words)), silent=True))
    store_a_platform(terminal.data)
    tenant = open_tenant(Settings(data=terminal.data))
    drain(tenant, ["refs", "match", "evaluate", "issue", "sync"])
    open_session(tenant, "key default.0000000000000000")
    put_waiting(tenant, services.wanted(tenant.store, "converter"), f"mailto:{LEARNER}", "Ana")
    (waits,) = answers.waiting(tenant.store)
    (aside,) = send(tenant, statement(object={"objectType": "GroupActivity", "id": "https://lms.example/group"}))
    tenant.store.close()
    badges = [one["id"] for one in terminal.json("badges list")]
    (folder / "badge.json").write_text(terminal.run(f"badges show {badges[0]}", silent=True))
    terminal.names |= {
        "IMPORT": terminal.json("imports list")[0]["id"],
        "BADGE": badges[0],
        "SECOND": badges[1],
        "LEARNER": LEARNER,
        "ROLE": terminal.json("roles list")[0]["id"],
        "RECEIPT": waits.receipt,
        "ASIDE": aside,
        "KEY": terminal.json("keys list")[0]["key"],
        "SESSION": terminal.json("sessions list")[0]["id"],
        "FRAMEWORK": FRAMEWORK,
    }
    return terminal


SET_UP = f"""
framework import FOLDER/sample/framework.csv --id {FRAMEWORK}
framework publish {FRAMEWORK}
keys create --name online-platform
keys create --name training-centre
keys create --name apprenticeship-provider
rules apply FOLDER/sample/rules.csv
roles import FOLDER/sample/roles.csv
adapter run training-centre FOLDER/sample/training-centre.csv --provider training-centre
services add Converter --webhook http://127.0.0.1:9/hook --scopes profiles:read --purpose "To suggest jobs"
consent give {LEARNER} converter
operators create --name prometheus
operators invite olga@example.org
courses import FOLDER/cmi5.xml
checklists import FOLDER/checklists.csv --centre north
standards import FOLDER/standard.json
catalogue import FOLDER/catalogue.csv
staff invite sam@centre.example --role steward
oidc add university --issuer http://127.0.0.1:9 --client-id engraft
"""
SHOWN = """
imports show IMPORT
persons show LEARNER
standards show ST1406
plan show --person LEARNER --role ROLE
courses show 1
sources switch online-platform --on quarantine
quarantine show ASIDE
rules check FOLDER/sample/rules.csv
rules explain LEARNER
badges show BADGE
badges status-list BADGE
badges endorsements BADGE
badges verify FOLDER/badge.json --offline
consent show RECEIPT
tenants show default
keys list
staff list
oidc list
sessions list
imports list
imports missing
checklists list
catalogue list
demand list
courses list
sources list
quarantine list
persons list
persons nobody
persons suggestions
framework list
rules list
rules unmatched
badges codes list
badges issuer
badges issuers list
badges keys list
badges list
lms invitations
lms list
lms sync
roles list
occupations list
services list
consent list
consent waiting
employers list
outcomes list
deliveries list
destinations list
forward list
operators list
operators people
tenants list
"""


def test_what_commands_show(told, programme):
    told(str(programme.story), "set_up")
    for part, option in (("", ""), ("json", " --json")):
        programme.story = Story()
        for line in SHOWN.strip().splitlines():
            if not option or any(line == name or line.startswith(f"{name} ") for name in WITH_JSON):
                programme.run(line + option)
        told(str(programme.story), part)


DONE = """
keys create --name again
keys revoke KEY
keys revoke KEY
sessions end SESSION
sessions end SESSION
persons merge LEARNER other@example.org
persons show LEARNER
persons unmerge other@example.org
persons unmerge other@example.org
persons dismiss LEARNER other@example.org
persons trust training-centre
persons trust training-centre
persons under-age LEARNER --until 2030-01-01
persons under-age LEARNER --until 2020-01-01
persons under-age LEARNER --no
persons confirm-name LEARNER "Ana Alves" --seen passport
persons confirm-name LEARNER --withdraw
persons confirm-name LEARNER
persons invite LEARNER
persons nobody --add 000
mail test sam@centre.example
badges issuers trust did:web:college.example --name College
badges issuers trust college --name College
badges issuers list
badges issuers distrust did:web:college.example
badges issuers distrust did:web:college.example
badges suspend BADGE --reason "A mistake"
badges suspend BADGE --reason "A mistake"
badges resume BADGE
badges resume BADGE
badges revoke BADGE SECOND --reason " "
badges revoke BADGE SECOND --reason "A mistake"
badges issue BADGE
badges endorse SECOND --comment "I saw it"
badges endorse SECOND --comment "I saw it"
badges endorse SECOND --draft
badges endorse SECOND --remove none
badges endorse SECOND
badges claim BADGE
badges codes create --activity https://centre.example/open-day --title "Open day" --until 2026-12-01 --most 2
badges codes create --activity https://centre.example/open-day --title "Open day" --until 2026-11-01
badges codes list
badges codes end none
badges keys rotate --wait 1
badges keys rotate --wait 1
badges keys rotate --algorithm ES256
badges keys list
badges keys compromise none --yes
badges renew
badges export --out FOLDER/exported
badges export --out FOLDER/exported
services set converter --contact help@converter.example --privacy-notice http://converter.example
services set converter --contact help@converter.example --return-url https://converter.example/back
services set converter --contact desk@converter.example
services list --json
persons list " "
persons list example.org
services disable converter
services disable converter
services resync converter
services rotate converter
deliveries resend none
deliveries resend
deliveries resend --all
consent give LEARNER none
consent give nobody@example.org converter
consent guardian RECEIPT --email parent@example.org
consent guardian none
consent link LEARNER converter --scopes profiles:read
consent link LEARNER converter --scopes all
consent withdraw LEARNER --service converter
consent withdraw LEARNER
consent list
employers add Brewery --contact jobs@brewery.example
employers add Brewery
employers add "" --privacy-notice brewery
outcomes withdraw converter none
forward add central https://central.example/xapi --key k --secret s --since 2026-01-01
forward add central https://central.example/xapi --key k --secret s
forward add other ftp://central.example --key k --secret s
forward add other https://central.example/xapi --key k --secret s --since yesterday
forward list
forward pause central
forward pause central
forward resume central
forward remove central
forward remove central
destinations add xapi copy https://copy.example/xapi --key k --secret s
destinations add xapi "a b" https://copy.example/xapi --key k --secret s
destinations list
destinations pause xapi copy
destinations resume xapi copy
destinations pause webhook copy
destinations remove xapi copy
staff invite sam@centre.example --role steward
staff invite kim --role steward
staff invite kim@centre.example --role cook
staff invite kim@centre.example --role provider:north --role planner
staff role kim@centre.example --give auditor --take planner
staff role kim@centre.example
staff role nobody@centre.example --give auditor
staff recover sam@centre.example
staff sign-in sam@centre.example
staff disable sam@centre.example
staff enable sam@centre.example
staff list
oidc add university --issuer http://127.0.0.1:9 --client-id engraft
oidc add other --issuer other --client-id engraft
oidc check university
oidc remove university
oidc remove university
lms invite Moodle
lms approve Moodle --deployment 1
lms approve Moodle
lms suspend Moodle
lms results Moodle --framework FRAMEWORK
lms withdraw Moodle
courses catalogue 1 on
courses catalogue 1 on
courses open 1 off
courses open 2 on
courses import FOLDER/cmi5.xml
courses import FOLDER/standard.json
catalogue import FOLDER/odd.csv
catalogue import FOLDER/catalogue.csv
checklists import FOLDER/odd.csv --centre north
standards import FOLDER/odd.csv
roles import FOLDER/odd.csv
rules apply FOLDER/odd.csv
rules restore 1
rules restore 9
framework import FOLDER/odd.csv --id x
framework publish none
framework publish FRAMEWORK
demand import FOLDER/odd.csv
demand regions FOLDER/odd.csv
adapter run training-centre FOLDER/odd.csv --provider training-centre
adapter run training-centre FOLDER/sample/training-centre.csv --provider training-centre
sources name online-platform "Northgate Online"
sources switch online-platform --on nonsense
sources switch online-platform --off quarantine
quarantine replay ASIDE
quarantine replay none
operators create --name prometheus
operators invite olga@example.org
operators recover olga@example.org
operators sign-in olga@example.org
operators disable olga@example.org
operators enable olga@example.org
operators revoke none
tenants create second --name "Second one"
tenants create second
tenants create Second
tenants set second --name "The second"
tenants suspend second
tenants suspend second
tenants resume second
tenants delete second
tenants delete default
tenants resume second
tenants show none
tenants list
work retry
work retry --step none
rebuild
"""


def test_what_commands_do(told, programme):
    programme.story = Story()
    for line in DONE.strip().splitlines():
        programme.run(line)

    told(str(programme.story))
    put_down = audited(programme.data)
    told(put_down, "audit")
    assert "@" not in put_down  # entries have ids, no addresses


def audited(data: Path) -> str:
    """What the audit of the organisation and that of the installation have put down: what, by whom, about what."""
    tenant, control = open_tenant(Settings(data=data)), open_control(Settings(data=data))
    with closing(tenant.store), closing(control):
        found = {"default": tenant.store, "the installation": control.store}
        lines = [
            f"{name}: {entry.action} by {entry.by} {inline(entry.about)}"
            for name, store in found.items()
            for entry in reversed(audit.newest(store, 1_000))
        ]
    return "\n".join(lines)
