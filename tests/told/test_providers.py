"""Who a sign-in provider says somebody is, and what is believed of it, told whole: tokens, documents, who comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from lrs.access.oidc import flow, id_token, providers
from lrs.access.oidc.documents import Documents, checked
from lrs.access.oidc.providers import Provider
from lrs.access.roles import Granted
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.tenancy.tenants import Tenant
from tests.told.noon import NOW
from tests.told.story import Story, inline
from tests.told.tabled import said, table
from tests.xapi.statements.signers import b64url

ISSUER = "https://id.example"
PROVIDER = Provider(
    "id",
    "Example ID",
    ISSUER,
    "engraft",
    1,
    groups=(("staff", (Granted("trainer"),)), ("boss", (Granted("administrator"),))),
)
KEY = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    }
)
PUBLIC = KEY.as_dict(private=False) | {"kid": "k"}
CLAIMS = {"iss": ISSUER, "aud": "engraft", "exp": NOW + 60, "iat": NOW, "nonce": "n", "sub": "ann"}


def token(claims: Any, **header: Any) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.serialize_compact({"alg": "Ed25519", "kid": "k"} | header, payload, KEY, algorithms=["Ed25519"])


def header(**members: Any) -> str:
    return b64url(json.dumps(members).encode()).decode()


def read(given: str, keys: Any = (PUBLIC,), provider: Provider = PROVIDER) -> Any:
    return id_token.verified(given, list(keys), provider, "n", NOW)


def test_tokens_of_a_provider(told: Any) -> None:
    story = Story()
    for change in (
        *(
            {},
            {"sub": None},
            {"sub": ""},
            {"sub": "x" * 255},
            {"sub": "x" * 256},
            {"sub": 7},
            {"nonce": "x"},
            {"nonce": None},
        ),
        *({"exp": NOW + shift} for shift in (-61, -60, -59)),
        *({"iat": NOW + shift} for shift in (-601, -600, 60, 61)),
        *({"nbf": NOW + 60}, {"nbf": NOW + 61}, {"exp": None}, {"iat": "x"}, {"iat": True}, {"exp": NOW + 60.5}),
        *({"iss": f"{ISSUER}/"}, {"aud": "x"}, {"aud": ["x", "engraft"]}, {"aud": ["engraft"]}, {"aud": 7}),
        *({"azp": "engraft"}, {"azp": "x"}, {"aud": ["x", "engraft"], "azp": "engraft"}),
        *({"email": "a@b", "email_verified": True}, {"email": "a@b"}, {"email": "a@b", "email_verified": "true"}),
        *({"name": "Ann"}, {"name": 7}, {"groups": ["a", 7, "b"]}, {"groups": "a"}, {"groups": {}}),
    ):
        given = {name: one for name, one in (CLAIMS | change).items() if one is not None}
        story.say(f"{inline(change)[:60]}: {said(read, token(given))[:160]}")
    story.head("headers, keys and forms")
    good = token(CLAIMS)
    other = OKPKey.generate_key("Ed25519").as_dict(private=False) | {"kid": "k"}
    cases: dict[str, Callable[[], Any]] = {
        "a type": lambda: read(token(CLAIMS, typ="JWT")),
        "another type": lambda: read(token(CLAIMS, typ="at+jwt")),
        "crit": lambda: read(f"{header(alg='EdDSA', crit=['x'])}.e30.e30"),
        "none": lambda: read(f"{header(alg='none')}.e30."),
        "HS256": lambda: read(f"{header(alg='HS256')}.e30.e30"),
        "no algorithm": lambda: read("e30.e30.e30"),
        "a list as its header": lambda: read("W10.e30.e30"),
        "no dot": lambda: read("e30"),
        "too long": lambda: read(f"{good}{'A' * 70_000}"),
        "not ASCII": lambda: read("é.e30.e30"),
        "says a list": lambda: read(token(b"[]")),
        "says no JSON": lambda: read(token(b"x")),
        "changed": lambda: read(f"{good[:-4]}AAAA"),
        "another's key": lambda: read(good, [other]),
        "no key": lambda: read(good, []),
        "two keys of one kid": lambda: read(good, [PUBLIC, PUBLIC]),
        "of another kid": lambda: read(good, [PUBLIC | {"kid": "x"}]),
        "for encrypting": lambda: read(good, [PUBLIC | {"use": "enc"}]),
        "for another algorithm": lambda: read(good, [PUBLIC | {"alg": "ES256"}]),
        "of another curve": lambda: read(good, [PUBLIC | {"crv": "X25519"}]),
        "the second of two": lambda: read(good, [other | {"kid": "x"}, PUBLIC]),
        "another claim of groups": lambda: read(
            token(CLAIMS | {"roles": ["x"]}), provider=replace(PROVIDER, groups_claim="roles")
        ),
    }
    story.say(*(f"{what}: {said(act)}" for what, act in cases.items()))
    table(story, PROVIDER.roles_of, (["staff"], ["boss", "staff", "staff"], ["x"], []))
    for audience in ("staff", "learners", "both"):
        story.say(f"{audience}: {[replace(PROVIDER, audience=audience).is_for(one) for one in ('staff', 'learners')]}")
    told(str(story), is_tidy=True)


DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/k",
}


def test_what_a_provider_says_of_itself(told: Any, tenant: Tenant) -> None:
    story = Story()
    for change in (
        *(
            {},
            {"issuer": f"{ISSUER}/"},
            {"token_endpoint": None},
            {"token_endpoint": "x"},
            {"jwks_uri": "http://id.example/k"},
        ),
        *(
            {"token_endpoint": "https://ID.example:8/t"},
            {"token_endpoint": "https://other.example/t"},
            {"jwks_uri": f"{ISSUER}/k#x"},
        ),
        *({"authorization_endpoint": "https://login.example/a"}, {"response_types_supported": ["id_token"]}),
        *({"response_types_supported": "code"}, {"response_types_supported": ["x", "code"]}),
        *(
            {"id_token_signing_alg_values_supported": ["RS512"]},
            {"id_token_signing_alg_values_supported": ["RS512", "ES256"]},
        ),
        *(
            {"code_challenge_methods_supported": ["plain"]},
            {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
        ),
        *({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]},),
        *({"token_endpoint_auth_methods_supported": ["private_key_jwt"]},),
    ):
        document = {name: one for name, one in (DOCUMENT | change).items() if one is not None}
        story.say(f"{change}: {said(checked, replace(PROVIDER, hosts=('Login.example',)), document, Settings())}")
    local = replace(PROVIDER, issuer="http://127.0.0.1")
    here = {name: one.replace(ISSUER, "http://127.0.0.1") for name, one in DOCUMENT.items()}
    for allow in ((), ("127.0.0.1",)):
        story.say(f"by http, allowed {allow}: {said(checked, local, here, Settings(outbound_allow=allow))}")
    story.head("which can be set up")
    add = partial(providers.add, tenant, by="test")
    for change in (
        *(
            {"name": "x" * 40},
            {"name": "x" * 41},
            {"name": "X"},
            {"name": "-x"},
            {"name": ""},
            {"client_id": ""},
            {"label": "  "},
        ),
        *(
            {"issuer": "x"},
            {"issuer": f"{ISSUER}?x"},
            {"issuer": f"{ISSUER}#x"},
            {"issuer": f"{ISSUER}/x"},
            {},
            {"name": "second"},
        ),
    ):
        story.say(f"{change}: {said(add, replace(PROVIDER, **change), 'a secret')}")
    kept = providers.everyone(tenant.store)
    story.say(f"{[one.name for one in kept]} {[providers.secret_of(tenant, one) for one in kept]}")
    story.say(
        said(providers.secret_of, tenant, replace(kept[0], name="other")), said(providers.secret_of, tenant, PROVIDER)
    )
    story.say(said(providers.provider, tenant.store, "nobody"), said(providers.remove, tenant, "nobody", by="test"))
    story.say(said(lambda: [providers.remove(tenant, one, by="test") for one in ("second", "second")]))
    story.head("who comes back")
    begun = flow.Begun("id", "state", "n", "v", NOW * SECOND + 1, f"{ISSUER}/back", "staff", "", "")
    text = flow.hide(flow._key(tenant), begun)  # noqa: SLF001 (what the browser keeps)
    over = flow.hide(flow._key(tenant), replace(begun, until=NOW * SECOND))  # noqa: SLF001 (as above)
    for what, browser, query in (
        ("nothing kept", None, {}),
        ("another state", text, {"state": "x", "code": "c"}),
        ("too late", over, {"state": "state", "code": "c"}),
        ("another issuer", text, {"state": "state", "code": "c", "iss": "x"}),
        ("denied", text, {"state": "state", "error": "access_denied", "iss": ISSUER}),
        ("failed", text, {"state": "state", "error": "server_error"}),
    ):
        story.say(f"{what}: {said(flow.finish, tenant, Documents(), browser, query)}")
    story.say(said(flow.begin, tenant, Documents(), "id", "https://a.example", "learners"))
    told(str(story), is_tidy=True)
