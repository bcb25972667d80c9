"""Applications of one process share their routes, and nothing that they keep."""

import asyncio

import httpx

from lrs.access.basic import BasicAuth
from lrs.app import create_app
from lrs.kernel.settings import Settings
from lrs.web.shared import share, shared


class Counts:
    """Something that counts."""


class Request:
    """What ``shared`` needs of a request."""

    def __init__(self, app):
        self.app = app


class App:
    """What ``share`` needs of an application."""

    def __init__(self, *objects):
        self.state = type("State", (), {})()
        share(self, *objects)


def test_an_application_keeps_one_object_of_a_kind_and_another_application_its_own():
    one, other = Request(App()), Request(App())

    kept = shared(one, Counts)

    assert isinstance(kept, Counts)
    assert shared(one, Counts) is kept
    assert shared(other, Counts) is not kept


def test_what_is_given_at_the_start_is_what_is_found():
    given = BasicAuth()

    assert shared(Request(App(given)), BasicAuth) is given


def test_all_routes_are_made_once_for_all_applications_but_those_about_one(tmp_path):
    apps = [application(tmp_path / name) for name in ("one", "other")]
    first, second = ({id(route): route.path for route in app.api.routes} for app in apps)

    own = [path for route, path in first.items() if route not in second]

    assert sorted(own) == ["/docs", "/health", "/metrics", "/openapi.json"]
    assert len(first) > 300


def test_wrong_secrets_at_one_application_are_not_counted_at_another(tmp_path):
    one, other = (application(tmp_path / name) for name in ("one", "other"))

    tried = [asyncio.run(guess(one)) for _ in range(101)]

    assert tried[-1] == 429
    assert set(tried[:-1]) == {401}
    assert asyncio.run(guess(other)) == 401


def application(folder):
    folder.mkdir()
    (folder / "master.key").write_text((b"k" * 32).hex())
    return create_app(Settings(data=folder, store_url=f"sqlite:///{folder}/store.db"))


async def guess(app):
    """The status of a token asked for with a wrong secret."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lrs.test") as client:
        form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "wrong"}
        return (await client.post("/oauth/token", data=form)).status_code
