"""A site in a temporary folder: the application, a browser in front of it, a small training world behind it."""

from __future__ import annotations

import asyncio
import functools
import html
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from lrs.access.keys import create_key
from lrs.app import create_app
from lrs.composition.steps import drain
from lrs.kernel.settings import Settings
from lrs.tenancy.control import open_control
from lrs.tenancy.open_tenants import Tenants
from tests.competency.world import Clock, World


class Browser:
    """Asks the application in this process, keeps cookies, follows nothing by itself."""

    def __init__(self, app, address="http://lrs.test"):
        self.app = app
        self.address = address
        self.cookies = httpx.Cookies()

    def ask(self, method, path, **more):
        async def run():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.address, cookies=self.cookies, trust_env=False
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(run())

    def get(self, path):
        return self.ask("GET", path)

    def send(self, page, action, **given):
        """Fills in and sends the first form of *page* that has this *action*; *given* picks among equal ones, too."""
        forms = [form for form in forms_of(page.text) if form["action"] == action]
        hidden = next(form["fields"] for form in forms if {**form["fields"], **given}.keys() >= given.keys())
        return self.ask("POST", action, data={**hidden, **given})

    def sign_in(self, new, *, base="/pages", then=""):
        page = self.get(f"{base}/sign-in?then={then}" if then else f"{base}/sign-in")
        return self.send(page, f"{base}/sign-in", key=new.key, secret=new.secret)


class _Forms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append({"action": attributes.get("action"), "fields": {}})
        elif tag == "input" and attributes.get("name"):
            self.forms[-1]["fields"][attributes["name"]] = attributes.get("value") or ""


def forms_of(text):
    """The forms of a page: action, and fields with the values they have."""
    parser = _Forms()
    parser.feed(text)
    return parser.forms


def text_of(answer):
    """What a person reads: without markup, blanks as one."""
    parser = _Text()
    parser.feed(answer.text)
    return " ".join(" ".join(parser.parts).split())


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts = []
        self.hidden = False

    def handle_starttag(self, tag, _attrs):
        self.hidden = tag == "style"

    def handle_endtag(self, _tag):
        self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(html.unescape(data))


def settings_of(folder: Path, **more) -> Settings:
    return Settings(data=folder, store_url=f"sqlite:///{folder}/store.db", outbound_allow=("127.0.0.0/8",), **more)


@functools.cache
def begun() -> tuple[dict[str, bytes], int]:
    """The files of a training world whose work is done, with its tenants opened once; and what its clock says then."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        world = World(folder)
        world.work()
        world.store.close()
        (folder / "master.key").write_text((b"k" * 32).hex())
        control = open_control(settings_of(folder))
        control.add("other")
        control.close()
        tenants = Tenants(settings_of(folder), world.clock)
        tenants.take("other")
        drain(tenants.take("default"), ("rename",))  # it was made without a root key, as stores of before were
        tenants.close()
        return {path.name: path.read_bytes() for path in folder.iterdir()}, world.clock.now


class Site:
    """The application over the store of a training *world*; *tenant* is the one the application works for."""

    def __init__(self, folder: Path, **settings):
        files, now = begun()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self.settings = settings_of(folder, **settings)
        clock = Clock(now)
        self.app = create_app(self.settings, clock=clock)
        self.tenant = self.app.tenants.take("default")
        self.world = World.of(self.tenant, clock)
        self.operator = create_key(self.tenant, "operator", ["admin"])
        self.browser = Browser(self.app)

    @property
    def other(self):
        """A tenant beside it, in which nothing is."""
        return self.app.tenants.take("other")

    def audit(self):
        """What was done, by whom, oldest first."""
        return [(entry["action"], entry["by"]) for entry in self.world.all("audit")]

    def close(self):
        self.app.tenants.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for tests that change nothing in it; its own browser is signed in."""
    made = Site(tmp_path_factory.mktemp("quiet"))
    made.browser.sign_in(made.operator)
    yield made
    made.close()


@pytest.fixture
def browser(site: Site) -> Browser:
    """Signed in as operator."""
    answer = site.browser.sign_in(site.operator)
    assert answer.status_code == 303
    return site.browser
