"""A small sign-in provider in a process of its own, which does what a test tells it: lie, be down, rotate its keys.

``python provider.py`` prints its address and serves. ``POST /tell`` changes what it does: ``document`` and ``claims``
replace or (``null``) take away members, ``algorithm`` and ``kid`` say how it signs, ``publish`` which keys it lists,
``fail`` the path that answers 500, or what ``with`` says, ``header`` further members of a token's header. ``GET
/asked`` says how often each path was asked, and what the last token request carried.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

CLIENT = "engraft"
SECRET = "a secret of the client"


@cache
def keys() -> dict:
    """The keys of every provider of this process: to make one for RSA takes long."""
    return {
        "r1": RSAKey.generate_key(2048),
        "r2": RSAKey.generate_key(2048),
        "e1": ECKey.generate_key("P-256"),
        "o1": OKPKey.generate_key("Ed25519"),
    }


class State:
    def __init__(self, address: str) -> None:
        self.address = address
        self.keys = dict(keys())
        self.told: dict = {}
        self.codes: dict = {}
        self.asked: dict = {}
        self.last: dict = {}

    def document(self) -> dict:
        found = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "code_challenge_methods_supported": ["S256"],
        }
        return changed(found, self.told.get("document", {}))

    def published(self) -> dict:
        kids = self.told.get("publish", ["r1", "e1", "o1"])
        return {"keys": [{**self.keys[kid].as_dict(private=False), "kid": kid, "use": "sig"} for kid in kids]}

    def token(self, nonce: str) -> str:
        now = int(time.time()) if "now" not in self.told else self.told["now"]
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "sub-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "kim@centre.example",
            "email_verified": True,
            "name": "Kim",
            "groups": [],
        }
        claims = changed(claims, self.told.get("claims", {}))
        algorithm, kid = self.told.get("algorithm", "RS256"), self.told.get("kid", "r1")
        header = changed({"alg": algorithm, "kid": kid, "typ": "JWT"}, self.told.get("header", {}))
        body = json.dumps(claims).encode()
        if algorithm == "none":
            return ".".join([part(json.dumps(header).encode()), part(body), ""])
        if algorithm == "HS256":  # with what everybody knows: the public key (RFC 8725 2.1)
            secret = OctKey.import_key(json.dumps(self.keys["r1"].as_dict(private=False)).encode())
            return jws.serialize_compact(header, body, secret, algorithms=["HS256"])
        signed = jws.serialize_compact(header, body, self.keys[self.told.get("signs", kid)], algorithms=[algorithm])
        return signed if "spoil" not in self.told else signed[:-8] + "AAAAAAAA"


def part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def changed(found: dict, by: dict) -> dict:
    return {name: value for name, value in {**found, **by}.items() if value is not None}


class Handler(BaseHTTPRequestHandler):
    state: State

    def do_GET(self) -> None:
        path, query = self._path()
        if path == "/asked":
            self._answer(200, {"asked": self.state.asked, "last": self.state.last})
        elif self.state.told.get("fail") == path:
            self._answer(500, {})
        elif path == "/.well-known/openid-configuration":
            self._answer(200, self.state.document())
        elif path == "/keys":
            self._answer(200, self.state.published())
        elif path == "/authorize":
            self._authorize(query)
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        path, _ = self._path()
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if path == "/tell":
            self.state.told = json.loads(body)
            self.state.asked.clear()
            self._answer(200, {})
        elif self.state.told.get("fail") == path:
            self._answer(self.state.told.get("with", 500), {})
        else:
            self._token({name: value[0] for name, value in parse_qs(body).items()})

    def _path(self) -> tuple[str, dict]:
        parts = urlsplit(self.path)
        self.state.asked[parts.path] = self.state.asked.get(parts.path, 0) + 1
        return parts.path, {name: value[0] for name, value in parse_qs(parts.query).items()}

    def _authorize(self, query: dict) -> None:
        if "refuse" in self.state.told:
            back = {"error": self.state.told["refuse"], "state": query["state"]}
        else:
            code = f"code-{len(self.state.codes)}"
            self.state.codes[code] = query
            back = {"code": code, "state": query["state"]}
        back = changed(back, self.state.told.get("back", {}))
        self._answer(302, {}, f"{query['redirect_uri']}?{urlencode(back)}")

    def _token(self, form: dict) -> None:
        self.state.last = {"form": form, "authorization": self.headers.get("authorization", "")}
        asked = self.state.codes.pop(form.get("code", ""), None)  # each code is good once
        proof = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if asked is None or proof.rstrip("=") != asked["code_challenge"]:
            self._answer(400, {"error": "invalid_grant"})
            return
        answer = {"access_token": "a", "token_type": "Bearer", "id_token": self.state.token(asked["nonce"])}
        self._answer(200, changed(answer, self.state.told.get("answer", {})))

    def _answer(self, status: int, value: object, location: str = "") -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    Handler.state = State(address)
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    server.serve_forever()
