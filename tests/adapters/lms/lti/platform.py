"""A platform made for tests, and the tool in this process: what each sends the other."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from adapters.lms.lti import platforms, tool_keys
from adapters.lms.lti.platforms import LtiPlatform, platform_id
from lrs.access.keys import create_key
from lrs.app import create_app
from lrs.kernel.settings import Settings
from lrs.storage import each
from lrs.tenancy.control import open_control
from tests.pages.conftest import Browser

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ISSUER = "https://moodle.example.org"
TOOL = "https://skills.example.org/t/default/lti"
PATH = "/t/default/lti"
DEPLOYMENT = "1"


class Platform:
    """Answers on a free port: *answers* are by path (status, headers, body), *asked* is what came."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"}, private=True)
        self.other = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"}, private=True)
        self.answers, self.asked = {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                length = int(self.headers.get("content-length", 0))
                outer.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                found = outer.answers.get(urlsplit(self.path).path)
                found = found(self.path) if callable(found) else found
                status, headers, body = found or (404, {}, b"")
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815 (the names of http.server)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.publish(self.key)

    def publish(self, *keys, path="/jwks"):
        self.says(path, {"keys": [key.as_dict(private=False) for key in keys]})

    def says(self, path, body, status=200, **headers):
        self.answers[path] = (status, {"content-type": "application/json", **headers}, json.dumps(body).encode())

    def described(self, client_id="tool", **changes):
        issuer = changes.pop("issuer", ISSUER)
        told = {
            "name": "Moodle",
            "authorization": f"{issuer}/mod/lti/auth.php",
            "token": f"{self.address}/token",
            "jwks": f"{self.address}/jwks",
            "state": "approved",
            "deployments": (DEPLOYMENT,),
        }
        told |= {"issuer": issuer, "client_id": client_id, "created": 0}
        return LtiPlatform(platform_id(issuer, client_id), **told | changes)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    """The tool for one tenant, and a browser in front of it."""

    def __init__(self, folder: Path, platform: Platform, **settings):
        given = {"public_url": "https://skills.example.org", "outbound_allow": ("127.0.0.0/8",)}
        self.settings = Settings(data=folder, **given | settings)
        open_control(self.settings).close()
        self.app = create_app(self.settings)
        self.tenant = self.app.tenants.take("default")
        self.store = self.tenant.store
        self.platform = platform
        tool_keys.ensure(self.tenant)
        self.add(platform.described())
        self.browser = Browser(self.app, "https://skills.example.org")

    def add(self, described):
        self.store.write(lambda tx: platforms.add(tx, described, "test")).result()
        return described

    def new_browser(self):
        self.browser = Browser(self.app, "https://skills.example.org")
        return self.browser

    def log_in(self, **given):
        """Begins a launch as the platform does; gives what the platform is asked."""
        told = {"iss": ISSUER, "client_id": "tool", "login_hint": "2", "target_link_uri": f"{TOOL}/launch"}
        told |= {"lti_message_hint": '{"cmid":"7"}'} | given
        form = {name: value for name, value in told.items() if value is not None}
        return self.browser.ask("POST", f"{PATH}/login", data=form, headers=FOREIGN)

    def asked(self, **given):
        answer = self.log_in(**given)
        assert answer.status_code == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def send(self, state, token, headers=None, **more):
        form = {"state": state, "id_token": token} | more
        return self.browser.ask("POST", f"{PATH}/launch", data=form, headers=headers or FOREIGN)

    def launch(self, *, key=None, header=None, drop=(), login=None, **claims):
        """A whole launch; *claims* replace those of a learner."""
        asked = self.asked(**login or {})
        return self.send(asked["state"], self.token(asked["nonce"], key=key, header=header, drop=drop, **claims))

    def token(self, nonce, /, *, key=None, header=None, drop=(), **claims):
        told = {name: value for name, value in {**learner(nonce), **claims}.items() if name not in drop}
        made = {"alg": "RS256", "kid": "one", "typ": "JWT"} | (header or {})
        return jwt.encode({n: v for n, v in made.items() if v is not None}, told, key or self.platform.key)

    def audit(self):
        found = [json.loads(record.body) for record in each(self.store, "audit")]
        return [(one["action"], one["about"]) for one in found]

    def staff(self):
        """A browser that is signed in as administrator."""
        browser = Browser(self.app, "https://skills.example.org")
        browser.sign_in(create_key(self.tenant, "operator", ["admin"]))
        return browser

    def close(self):
        self.app.tenants.close()


FOREIGN = {"sec-fetch-site": "cross-site", "origin": ISSUER}
OWN_PAGE = {"sec-fetch-site": "same-origin", "origin": "https://skills.example.org"}


def learner(nonce):
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "tool",
        "sub": "5",
        "iat": now,
        "exp": now + 60,
        "nonce": nonce,
        "name": "Ann Learner",
        "email": "ann@example.org",
        CLAIM + "message_type": "LtiResourceLinkRequest",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": DEPLOYMENT,
        CLAIM + "target_link_uri": f"{TOOL}/launch",
        CLAIM + "resource_link": {"id": "3", "title": "Skills"},
        CLAIM + "context": {"id": "2", "title": "Gowning", "type": ["CourseSection"]},
        CLAIM + "roles": [MEMBERSHIP + "Learner"],
        CLAIM + "ext": {"user_username": "ann"},
    }


def cookies(answer):
    """Name and attributes of each cookie that *answer* sets."""
    return dict(re.match(r"([^=]+)=(.*)", one).groups() for one in answer.headers.get_list("set-cookie"))
