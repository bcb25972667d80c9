"""A server in this process on a free port, and a client that speaks xAPI to it."""

import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import uvicorn

from lrs.access.keys import create_key
from lrs.app import create_app
from lrs.kernel.settings import Settings
from lrs.serving.server import listen
from lrs.web.addresses import Addresses, operations
from lrs.web.framework import guarded
from lrs.web.late import Router
from lrs.web.protocol import Bounded

VERB = "http://adlnet.gov/expapi/verbs/experienced"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass(repr=False)
class Lrs:
    """A running server as a client with one key sees it; ``tenant`` looks behind it."""

    address: str
    tenant: object
    auth: tuple = ("", "")
    clients: list = field(default_factory=list)
    app: object = None

    def as_key(self, *scopes, name="other"):
        """The same server with another key."""
        new = create_key(self.tenant, name, scopes)
        return Lrs(self.address, self.tenant, (new.key, new.secret), self.clients, self.app)

    def ask(self, method, path, *, version="1.0.3", auth=..., **more):
        """One request to *path* under ``/xapi``; ``version=None`` and ``auth=None`` leave the header out."""
        headers = {} if version is None else {"X-Experience-API-Version": version}
        headers.update(more.pop("headers", {}))
        return self.clients[0].request(
            method, f"{self.address}/xapi/{path}", auth=self.auth if auth is ... else auth, headers=headers, **more
        )

    def post(self, body, **more):
        """POST of a statement, a batch, or bytes as they are."""
        return self._send("POST", body, **more)

    def put(self, body, statement_id, **more):
        """PUT of one statement."""
        return self._send("PUT", body, params={"statementId": statement_id}, **more)

    def _send(self, method, body, *, type="application/json", headers=None, **more):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(
            method, "statements", content=content, headers={"Content-Type": type, **(headers or {})}, **more
        )

    def store(self, body, **more):
        """POST that must succeed; the ids."""
        answer = self.post(body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, *, version="1.0.3", headers=None, auth=..., **params):
        """GET /statements with *params*."""
        params = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in params.items()}
        return self.ask("GET", "statements", version=version, headers=headers or {}, auth=auth, params=params)

    def one(self, statement_id, **params):
        """The statement as JSON; it must be there."""
        answer = self.get(statementId=statement_id, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def listed(self, **params):
        """The ids in the list, all pages of it."""
        answer = self.get(**params)
        ids = []
        while True:
            assert answer.status_code == 200, answer.text
            ids += [statement["id"] for statement in answer.json()["statements"]]
            if not (more := answer.json()["more"]):
                return ids
            answer = self.follow(more)

    def follow(self, more, **given):
        """GET of a ``more`` link, resolved against the request's address as clients do."""
        place = urlsplit(self.address).path + "/xapi/"
        assert more.startswith(f"{place}statements?")
        return self.ask("GET", more.removeprefix(place), **given)


def neighbour_of(lrs, name="neighbour"):
    """The same server as a client of another, new tenant sees it."""
    tenants = lrs.app.tenants
    tenants.control.add(name)
    at = Lrs(f"{lrs.address}/t/{name}", tenants.take(name), clients=lrs.clients, app=lrs.app)
    return at.as_key("all", name="neighbours")


@contextmanager
def serving(folder, *, scopes=("all",), **settings):
    """A server for the files in *folder*, and a key with *scopes*. ``PORT`` in a setting is the port it listens on."""
    listener = listen("127.0.0.1", 0)
    port = str(listener.getsockname()[1])
    settings = {name: one.replace("PORT", port) if isinstance(one, str) else one for name, one in settings.items()}
    app = create_app(Settings(data=folder, worker=False, **settings))
    listener.listen(128)  # so that requests wait for the server, and nothing else has to
    config = uvicorn.Config(
        app, loop="uvloop", http=Bounded, ws="none", log_level="warning", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        with httpx.Client(timeout=30, limits=httpx.Limits(max_connections=64)) as client:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert client.get(f"{address}/health").status_code == 200
            yield Lrs(address, app.tenants.take("default"), clients=[client], app=app).as_key(*scopes, name="tests")
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def routes_of(app):
    """Method and path of every route behind the xAPI endpoint."""
    yield from operations(app.api.routes)


def add_route(app, method, pattern, endpoint, line):
    """Puts a route into a running *app*, with its *line* in the table of rights."""
    take_in(app, method, pattern, endpoint)
    let_in(app, method, pattern, line)


def take_in(app, method, pattern, endpoint):
    """Puts a route into a running *app*, as the application takes in those of its rooms."""
    router = Router()
    router.add_api_route(pattern, endpoint, methods=[method], include_in_schema=False)
    app.api.router.routes.extend(guarded(router.routes))


def let_in(app, method, pattern, line):
    """Puts a *line* into the table of rights of a running *app*."""
    app.table = {**app.table, (method, pattern): line}
    app.framework.addresses = Addresses(app.table)


def new_id():
    return str(uuid.uuid4())


def somebody():
    """An agent nobody else in the tests is."""
    return {"objectType": "Agent", "mbox": f"mailto:{uuid.uuid4().hex}@example.org"}


def something():
    """An IRI nobody else in the tests uses."""
    return f"https://example.org/{uuid.uuid4().hex}"


def statement(**parts):
    """A small statement of somebody new about something new."""
    return {"actor": somebody(), "verb": {"id": VERB}, "object": {"id": something()}} | parts


def voiding(statement_id, **parts):
    """A statement that voids another."""
    return statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": statement_id}, **parts)


def referring(statement_id, **parts):
    """A statement about another."""
    return statement(object={"objectType": "StatementRef", "id": statement_id}, **parts)
