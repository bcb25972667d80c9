"""Which keys there may be, and whose signatures on statements are believed, told whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lrs.access.keys import check_source, create_key, list_keys, new_key, revoke_key
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.signatures import CONTENT_TYPE, check_signature
from tests.told.story import Story, inline
from tests.told.tabled import said, table
from tests.xapi.statements.examples import statement
from tests.xapi.statements.signers import AT, certificate, ec_key, rsa_key, sign, x5c


def test_keys_and_signatures(told: Any, tenant: Tenant) -> None:
    story = Story()
    names = (
        "vle",
        "a" * 80,
        "a" * 81,
        " a",
        "é",
        "Engraft",
        "engraft",
        "Engraft Results",
        "engraft results x",
        "engraft codes",
        "Engraft prior badges",
        "content",
        "",
    )
    table(story, check_source, names)
    table(
        story,
        lambda *scopes: new_key(tenant, "vle", scopes).scopes,
        ((), ("all",), ("x", "all"), ("statements/write", "define", "define")),
        "new_key",
    )
    for name in ("vle", "other"):
        create_key(tenant, name, ["state"])
    known = [one["key"] for one in list_keys(tenant.store)]
    story.say(
        f"{[revoke_key(tenant, one, by='test') for one in (known[0], known[0], 'x')]}",
        *(inline(one) for one in list_keys(tenant.store)),
    )
    story.head("signatures")
    key, other = rsa_key("one"), rsa_key("two")
    own, ca = certificate("one", key), certificate("ca", other, ca=True)
    issued, late = certificate("leaf", key, ca, other), certificate("old", key, days=(-3, -1))
    said_of = statement(id="12345678-1234-4234-8234-1234567890ab")
    good = partial(sign, said_of, key)

    def of(signature: bytes | None, trust: Any = (), at: int | None = AT, kind: str = CONTENT_TYPE) -> str:
        return check_signature(said_of, {"contentType": kind}, signature, "1.0.3", trust, at=at)

    cases: dict[str, Callable[[], str]] = {
        "another type": lambda: of(b"", kind="text/plain"),
        "a type with more": lambda: of(None, kind="Application/Octet-Stream; x=y"),
        "only linked to": lambda: of(None),
        "no certificate": lambda: of(good()),
        "its own": lambda: of(good(x5c=x5c(own))),
        "its own, trusted": lambda: of(good(x5c=x5c(own)), (own,)),
        "at no time": lambda: of(good(x5c=x5c(own)), (own,), None),
        "over": lambda: of(good(x5c=x5c(late)), (late,)),
        "by a trusted one": lambda: of(good(x5c=x5c(issued, ca)), (ca,)),
        "by a trusted one that is not sent": lambda: of(good(x5c=x5c(issued)), (ca,)),
        "RS384": lambda: of(good(alg="RS384", x5c=x5c(own))),
        "RS512": lambda: of(good(alg="RS512", x5c=x5c(own))),
        "HS256": lambda: of(good(alg="HS256")),
        "no algorithm": lambda: of(good(alg=None)),
        "crit": lambda: of(good(crit=["x"])),
        "two parts": lambda: of(b"a.b"),
        "no base64": lambda: of(b"!.b.c"),
        "no JSON": lambda: of(b"eA.eA.eA"),
        "a list": lambda: of(b"W10.W10.eA"),
        "a payload that is none": lambda: of(sign(b"x", key)),
        "too long": lambda: of(b"x" * 20_000_000),
        "another statement": lambda: of(sign(statement(id=said_of["id"], result={"success": True}), key)),
        "another id": lambda: of(sign(said_of | {"id": "00000000-0000-4000-8000-000000000000"}, key)),
        "no id": lambda: of(sign({name: one for name, one in said_of.items() if name != "id"}, key)),
        "another's certificate": lambda: of(good(x5c=x5c(ca))),
        "a key that is no RSA": lambda: of(good(x5c=x5c(certificate("ec", ec_key())))),
        "x5c is a text": lambda: of(good(x5c="x")),
        "x5c is empty": lambda: of(good(x5c=[])),
        "x5c is no certificate": lambda: of(good(x5c=["AAAA"])),
        "as many as may be": lambda: of(good(x5c=x5c(own) * 10)),
        "one more": lambda: of(good(x5c=x5c(own) * 11)),
    }
    story.say(*(f"{what}: {said(act)}" for what, act in cases.items()))
    told(str(story))
