"""Plays the whole story with the program of a release, and freezes the store as SIGKILL leaves it.

Commands and HTTP are all that is used, but for three things that no command of 0.2.0 does: a second tenant, the wait
between two tries of a delivery, and a lease of a worker that was killed. Run once for a release, with a checkout of it
that has an environment of its own (``make install`` there); what it wrote never changes::

    git worktree add ../0.2.0 f239384 && make -C ../0.2.0 install
    python -m tests.releases.story ../0.2.0 0.2.0

It writes ``story/0.2.0.tar.xz``, the data folder, and ``story/0.2.0.json.xz``: what was handed out, what a user asked
and was told, and the file of the end of the record of actions. Everybody in it is made up.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import lzma
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import msgspec

from tests.matching.world import Got, Receiver, receiver
from tests.programs import children, until
from tests.releases.questions import DOCUMENTS, RESOURCES, VERSION, Handed, asked, partial_of
from tests.travel import (
    CENTRE,
    CENTRE_ROWS,
    CULTURE,
    FRAMEWORK,
    GOWNING,
    LEARNERS,
    MAPPING,
    PORTFOLIO,
    PORTFOLIO_ROW,
    PURPOSE,
    ROLES,
    RULES,
    SAME_PERSON,
    URI,
    VERBS,
)

HERE = Path(__file__).parent / "story"
PUBLIC = "https://skills.example.org"
NORTH = "north"
UNCOMPLETED = "http://id.tincanapi.com/verb/uncompleted"
SCOPES = {
    "vle": ("statements/write",),
    "centre": ("statements/write", "profile", "import"),
    "provider": ("statements/write", "profile", "import"),
    "browser-content": ("statements/write",),
    "reader": ("all",),
    "operator": ("admin",),
}
CERTIFICATE = b"a certificate of " + b"gowning " * 64
LATE = ("eve", "fay")
"""Learners whose statements nobody has read when the processes of the release are killed."""
_LEAVE_LEASES = """
import os, sys
from pathlib import Path
from lrs.settings import Settings
from lrs.tenants import open_tenant
tenant = open_tenant(Settings(data=Path(sys.argv[1])))
for step in ("match", "deliver"):
    assert tenant.store.claim([step], limit=1, lease=60_000_000), step
os.kill(os.getpid(), 9)
"""
"""What a worker has done when it is killed between claiming and settling."""
_SECOND_TENANT = """
import sys
from pathlib import Path
from lrs.control import open_control
from lrs.settings import Settings
control = open_control(Settings(data=Path(sys.argv[1])))
control.add("north")
control.close()
"""


@dataclass
class Release:
    """A checkout of the release, the folder it works on, and the server that runs."""

    checkout: Path
    folder: Path
    address: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def __post_init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
        self.settings = kept | {
            "LRS_DATA": str(self.data),
            "LRS_PUBLIC_URL": PUBLIC,
            "LRS_OUTBOUND_ALLOW": '["127.0.0.0/8"]',
            "LRS_AUDIT_HEAD": str(self.folder / "audit-head"),
            "LRS_LOG_FORMAT": "json",
        }

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        python = str(self.checkout.absolute() / ".venv" / "bin" / "python")
        return subprocess.run(
            [python, *words], cwd=self.checkout, env=self.settings, text=True, capture_output=True, check=False
        )

    def lrs(self, *words: str) -> str:
        done = self.python("-m", "lrs", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    @contextlib.contextmanager
    def serving(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """A server with its worker, killed at the end together with it."""
        python = str(self.checkout.absolute() / ".venv" / "bin" / "python")
        with (self.folder / "log").open("a") as log:
            server = subprocess.Popen(
                [python, "-m", "lrs", "serve", "--port", "0"],
                cwd=self.checkout,
                env=self.settings | settings,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert server.stdout
        self.address = server.stdout.readline().split()[2].removesuffix("/xapi")
        until(self.answers, "the server")
        try:
            yield server
        finally:
            for pid in (server.pid, *children(server.pid)):
                os.kill(pid, signal.SIGKILL)
            server.wait()
            server.stdout.close()

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/health", trust_env=False).status_code == 200
        return False

    def owed(self, tenant: str, change: str = "") -> int:
        """How many entries are due or in hand; first makes those due that wait after a failure, if *change* is set."""
        path = self.data / "tenants" / tenant / "store.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as store:
            if change:
                store.execute("UPDATE owed SET at = 1 WHERE error IS NOT NULL AND at < ?", (1 << 62,))
            query = "SELECT count(*) FROM owed WHERE at <= ? OR token IS NOT NULL"
            return int(store.execute(query, (time.time_ns() // 1_000,)).fetchone()[0])

    def settle(self, tenant: str) -> None:
        until(lambda: self.owed(tenant) == 0, f"the work of {tenant}")
        time.sleep(1.5)  # what is owed in the commit in which the last was settled
        until(lambda: self.owed(tenant) == 0, f"the work of {tenant}")


class Player:
    """One tenant's part of the story."""

    def __init__(self, release: Release, tenant: str) -> None:
        self.release = release
        self.handed = Handed(tenant)
        self.client = httpx.Client(trust_env=False, timeout=60)

    @property
    def base(self) -> str:
        return f"{self.release.address}{self.handed.prefix}"

    def lrs(self, *words: str) -> str:
        return self.release.lrs(*words, "--tenant", self.handed.tenant)

    def told(self, *words: str) -> Any:
        return partial_of(self.release.lrs, self.handed.tenant)(*words)

    def file(self, name: str, text: str) -> str:
        (self.release.folder / name).write_text(text, "utf-8")
        return str(self.release.folder / name)

    def send(self, source: str, *statements: dict[str, Any]) -> None:
        sent = self.client.post(
            f"{self.base}/xapi/statements", json=statements, auth=self.handed.keys[source], headers=VERSION
        )
        assert sent.status_code == 200, sent.text

    def send_with_certificate(self, source: str, statement: dict[str, Any]) -> None:
        sha2 = hashlib.sha256(CERTIFICATE).hexdigest()
        attachment = {
            "usageType": "http://example.org/certificate",
            "display": {"en": "certificate"},
            "contentType": "text/plain",
            "length": len(CERTIFICATE),
            "sha2": sha2,
        }
        body = (
            b"--story\r\nContent-Type: application/json\r\n\r\n"
            + json.dumps({**statement, "attachments": [attachment]}).encode()
            + b"\r\n--story\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
            + f"X-Experience-API-Hash: {sha2}\r\n\r\n".encode()
            + CERTIFICATE
            + b"\r\n--story--\r\n"
        )
        headers = VERSION | {"Content-Type": "multipart/mixed; boundary=story"}
        sent = self.client.post(
            f"{self.base}/xapi/statements", content=body, auth=self.handed.keys[source], headers=headers
        )
        assert sent.status_code == 200, sent.text

    def bring(self, adapter: str, provider: str, text: str, *, profile: bool = False) -> dict[str, int]:
        """Sends a provider's file; how many rows came to what."""
        files: dict[str, Any] = {"file": (f"{adapter}.csv", text.encode())}
        if profile:
            files["profile"] = msgspec.json.encode(MAPPING)
        sent = self.client.post(
            f"{self.base}/api/imports",
            params={"adapter": adapter, "wait": 60},  # 0.2.0 always waits, and knows no such word
            files=files,
            auth=self.handed.keys[provider],
            headers={"Accept": "application/json"},
        )
        assert sent.status_code == 200, sent.text
        return {name: count for name, count in sent.json()["counts"].items() if count}

    def service(self, name: str, webhook: str, scopes: str) -> None:
        made = self.told("services", "add", name, "--webhook", webhook, "--scopes", scopes, "--purpose", PURPOSE)
        self.handed.services[name] = {**made, "id": made["client_id"]}

    def agree(self, who: str, service: str) -> None:
        """The service asks for a link, and the learner opens it and agrees."""
        made = self.handed.services[service]
        form = {"grant_type": "client_credentials"}
        answer = self.client.post(f"{self.base}/oauth/token", data=form, auth=(made["id"], made["client_secret"]))
        wish = {"learner": {"mbox": f"mailto:{who}@example.org"}, "reference": f"our-{who}"}
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        link = self.client.post(f"{self.base}/api/links", json=wish, headers=bearer)
        assert link.status_code == 201, link.text
        address = link.json()["link"].replace(PUBLIC, self.release.address)
        page = self.client.get(address)
        form = {
            "form": re.findall(r'name="form" value="([^"]+)"', page.text)[0],
            "answer": "agree",
            "scope": "gap:read",
        }
        cookie = page.headers["set-cookie"].partition(";")[0]  # it is for https alone
        answer = self.client.post(address, data=form, headers={"cookie": cookie, "origin": self.release.address})
        assert answer.status_code == 303, answer.text

    def keep(self, name: str) -> None:
        """Puts one of ``DOCUMENTS``."""
        where = f"{self.base}/xapi/{RESOURCES[name]}/{'state' if 'state' in name else 'profile'}"
        content = f"a {name} of {self.handed.tenant} ".encode() * (20_000 if "large" in name else 1)
        id = "stateId" if "state" in name else "profileId"
        headers = VERSION | {"Content-Type": "text/plain", "If-None-Match": "*"}
        params = {**DOCUMENTS[name], id: name}
        sent = self.client.put(where, params=params, content=content, auth=self.handed.keys["reader"], headers=headers)
        assert sent.status_code == 204, sent.text


def learnt(name: str, verb: str, activity: str, day: str, points: int | None = None, **more: Any) -> dict[str, Any]:
    """A statement of the online course about the learner that it calls ``<name>-7``."""
    made = {
        "id": str(uuid5(NAMESPACE_URL, f"{name} {verb} {activity} {day}")),
        "actor": {"account": {"homePage": "https://vle.example", "name": f"{name}-7"}, "name": name.title()},
        "verb": {"id": verb if "//" in verb else VERBS + verb, "display": {"en": verb.rpartition("/")[2]}},
        "object": {"id": activity, "definition": {"name": {"en": activity.rpartition("/")[2] or "course"}}},
        "timestamp": f"{day}T10:00:00Z",
        **more,
    }
    return made if points is None else {**made, "result": {"score": {"raw": points, "min": 0, "max": 100}}}


def registered(name: str, source: str = "example.org") -> dict[str, Any]:
    """The course says which mailbox its learner has."""
    same = {SAME_PERSON: [{"mbox": f"mailto:{name}@{source}"}]}
    id = str(uuid5(NAMESPACE_URL, f"{name}@{source}"))
    return learnt(name, "registered", "https://vle.example/", "2026-09-01", context={"extensions": same}, id=id)


def voiding(id: str) -> dict[str, Any]:
    return {
        "actor": {"mbox": "mailto:ray@centre.example"},
        "verb": {"id": VERBS + "voided"},
        "object": {"objectType": "StatementRef", "id": id},
    }


def passed(name: str) -> list[dict[str, Any]]:
    """What the online course sends of a learner who does well."""
    return [
        registered(name),
        learnt(name, "passed", GOWNING, "2026-09-10", 92),
        learnt(name, "passed", CULTURE, "2026-09-11", 88),
    ]


def centre_file(*, failed: str = "") -> str:
    """The training centre's file; the gown of the learner *failed* touched the outside."""
    rows = [CENTRE_ROWS.format(name=name) for name in LEARNERS]
    return CENTRE + "".join(row.replace("gown,pass", "gown,fail") if failed and failed in row else row for row in rows)


def portfolio_file() -> str:
    return PORTFOLIO + "".join(PORTFOLIO_ROW.format(name=name, uln=uln) for name, uln in LEARNERS.items())


def begin(player: Player) -> None:
    """Keys, a framework, rules, roles, and who vouches for identities."""
    for name, scopes in SCOPES.items():
        words = [word for scope in scopes for word in ("--scope", scope)]
        new = player.told("keys", "create", "--name", name, *words)
        player.handed.keys[name] = (new["key"], new["secret"])
    player.lrs("framework", "import", player.file("framework.csv", FRAMEWORK), "--id", URI, "--title", "Therapies")
    player.lrs("framework", "publish", URI)
    for source in ("vle", "provider"):
        player.lrs("persons", "trust", source)
    player.lrs("rules", "apply", player.file("rules.csv", RULES.rpartition("https://w3id")[0]))
    player.lrs("roles", "import", player.file("roles.csv", ROLES))
    player.lrs("badges", "issuer", "--name", f"Network of {player.handed.tenant}")


def learn(player: Player) -> None:
    """Statements, files and documents; corrections, voids; another rule."""
    for name in LEARNERS:
        player.send("vle", *passed(name))
    player.send("vle", learnt("cara", UNCOMPLETED, CULTURE, "2026-09-20"))
    player.send("vle", learnt("guest", "passed", GOWNING, "2026-09-12", 99))
    player.send("browser-content", registered("cara", "home.example"))
    player.send("browser-content", registered("ann", "home.example"))
    player.send_with_certificate("vle", learnt("ann", "passed", GOWNING, "2026-10-01", 97))
    assert player.bring("training-centre", "centre", centre_file()) == {"new": 10}
    assert player.bring("eportfolio", "provider", portfolio_file(), profile=True) == {"new": 3}
    for name in DOCUMENTS:
        player.keep(name)
    player.release.settle(player.handed.tenant)
    corrected = player.bring("training-centre", "centre", centre_file(failed="dan"))
    assert corrected == {"updated": 2, "unchanged": 8}, corrected
    player.send("vle", voiding(learnt("dan", "passed", CULTURE, "2026-09-11")["id"]))
    player.lrs("rules", "apply", player.file("rules.csv", RULES))
    player.release.settle(player.handed.tenant)


def meet(player: Player) -> None:
    """Several names of one person, by hand; and one pair that is none."""
    player.send("vle", {**learnt("x", "experienced", GOWNING, "2026-09-02"), "actor": {"mbox": "mailto:a@old.example"}})
    player.release.settle(player.handed.tenant)
    player.lrs("persons", "merge", "ann@example.org", "a@old.example")
    player.lrs("persons", "dismiss", "https://vle.example|cara-7", "cara@home.example")
    player.lrs("persons", "nobody", "vle", "guest")


def share(player: Player, hook: str, dead: str) -> None:
    """Services, and learners who agreed: by link, by command, one whom nobody knows yet, one who took it back."""
    scopes = "profiles:read,roles:read,gap:read,badges:read"
    player.service("Career Converter", hook, scopes)
    player.service("Dead End", dead, "profiles:read")
    player.agree("ann", "Career Converter")
    player.agree("cara", "Career Converter")
    player.lrs("consent", "give", "dan@example.org", "career-converter", "--reference", "our-dan")
    player.lrs("consent", "give", "new@example.org", "career-converter", "--reference", "our-new")
    player.release.settle(player.handed.tenant)
    player.lrs("consent", "withdraw", "dan@example.org")
    player.release.settle(player.handed.tenant)


def give_up(player: Player) -> None:
    """Deliveries to the service that never answers: one given up on after every try, and one that waits."""
    player.lrs("consent", "give", "cara@example.org", "dead-end")
    player.release.settle(player.handed.tenant)
    while not player.told("deliveries", "list", "--state", "dead"):
        player.release.owed(player.handed.tenant, "the wait after a failure")
        time.sleep(0.3)
    player.lrs("consent", "give", "ann@example.org", "dead-end")
    player.release.settle(player.handed.tenant)


def play(release: Release, well: Receiver, dead: Receiver) -> list[Player]:
    """The story, up to where everything is settled that can be."""
    players = [Player(release, "default"), Player(release, NORTH)]
    done = release.python("-c", _SECOND_TENANT, str(release.data))
    assert done.returncode == 0, done.stderr
    with release.serving():
        for player in players:
            begin(player)
            learn(player)
            meet(player)
            share(player, well.url, dead.url)
        give_up(players[0])
    return players


def leave(release: Release, players: list[Player]) -> None:
    """Statements and deliveries that are owed, two of them leased by a worker that was killed."""
    with release.serving(LRS_WORKER="false"):
        for player in players:
            for name in LATE:
                player.send("vle", *passed(name))
            player.lrs("deliveries", "resend", "--service", "career-converter")
            player.lrs("services", "resync", "career-converter")
        done = release.python("-c", _LEAVE_LEASES, str(release.data))
        assert done.returncode == -signal.SIGKILL, done.stderr


def frozen(release: Release) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(release.data.rglob("*")):
            if not path.name.endswith("-shm"):  # SQLite makes it anew from the log
                archive.add(path, path.relative_to(release.data), recursive=False)
    return lzma.compress(packed.getvalue(), preset=9)


def main(checkout: str, version: str) -> None:
    HERE.mkdir(exist_ok=True)

    def refuses(_: Got) -> tuple[int, dict[str, str]]:
        return 500, {}

    with tempfile.TemporaryDirectory() as place, receiver() as well, receiver() as dead:
        dead.answers = refuses
        release = Release(Path(checkout), Path(place))
        players = play(release, well, dead)
        with release.serving(LRS_WORKER="false"):
            told = {player.handed.tenant: asked(release.lrs, release.address, player.handed) for player in players}
        leave(release, players)
        kept = {
            "version": version,
            "at": time.time_ns() // 1_000,
            "hooks": {"well": well.url, "dead": dead.url},
            "heard": [[one.headers["webhook-id"], one.json] for one in well.got],
            "handed": {one.handed.tenant: msgspec.to_builtins(one.handed) for one in players},
            "audit head": (release.folder / "audit-head").read_text(),
            "told": told,
        }
        (HERE / f"{version}.json.xz").write_bytes(lzma.compress(json.dumps(kept, sort_keys=True).encode(), preset=9))
        (HERE / f"{version}.tar.xz").write_bytes(frozen(release))


if __name__ == "__main__":
    main(*sys.argv[1:])
