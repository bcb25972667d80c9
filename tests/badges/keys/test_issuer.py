"""Who signs: the DID, its document, its addresses."""

from __future__ import annotations

import pytest

from badges.keys.issuer import address, did_url, issuer_of, rename, web_did
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.tenants import open_tenant
from tests.badges.made import tenant_in


@pytest.mark.parametrize(
    ("public_url", "did", "url"),
    [
        ("https://skills.example.org", "did:web:skills.example.org:t:default", "https://skills.example.org/t/default"),
        ("https://example.org:8443/", "did:web:example.org%3A8443:t:default", "https://example.org:8443/t/default"),
        ("https://example.org/lrs", "did:web:example.org:lrs:t:default", "https://example.org/lrs/t/default"),
    ],
)
def test_the_did_of_a_tenant_resolves_to_the_address_where_its_document_is_served(tmp_path, public_url, did, url):
    tenant = tenant_in(tmp_path, public_url)

    found = web_did(tenant)
    tenant.store.close()

    assert found == did
    assert did_url(did) == f"{url}/did.json"
    assert address(tenant, "status/revocation-1") == f"{url}/status/revocation-1"


@pytest.mark.parametrize("public_url", [None, "http://skills.example.org"])
def test_without_an_https_address_there_is_no_did_web(tmp_path, public_url):
    tenant = tenant_in(tmp_path, public_url)

    issuer = issuer_of(tenant)
    tenant.store.close()

    assert web_did(tenant) is None
    assert issuer.demonstration is True
    assert issuer.id.startswith("did:key:z6Mk")
    assert issuer.method == f"{issuer.id}#{issuer.id.removeprefix('did:key:')}"


def test_the_did_document_lists_the_keys_as_strings_under_assertion_method_only(tmp_path):
    tenant = tenant_in(tmp_path)

    issuer = issuer_of(tenant)
    tenant.store.close()

    did, document = "did:web:skills.example.org:t:default", issuer.did_document()
    multibase = issuer.method.rpartition("#")[2]
    first, second = document.pop("verificationMethod")
    assert document == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/jwk/v1",
        ],
        "id": did,
        "assertionMethod": [f"{did}#{multibase}", second["id"]],
    }
    assert first == {
        "id": f"{did}#{multibase}",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": multibase,
    }
    assert (second["type"], second["controller"]) == ("JsonWebKey", did)
    assert second["id"] == f"{did}#{second['publicKeyJwk']['kid']}"


def test_an_issuer_is_renamed_as_often_as_one_likes_and_keeps_its_home_page(tmp_path):
    tenant = tenant_in(tmp_path)
    rename(tenant, "Centre", "https://centre.example.org")
    rename(tenant, "Example Training Centre")
    kept = issuer_of(tenant).url
    rename(tenant, url="")

    profile = issuer_of(tenant).profile()
    tenant.store.close()

    assert kept == "https://centre.example.org"
    assert profile == {
        "id": "did:web:skills.example.org:t:default",
        "type": ["Profile"],
        "name": "Example Training Centre",
        "url": "https://skills.example.org",
    }


def test_two_tenants_have_two_keys_and_one_tenant_keeps_its_own(tmp_path):
    keys = []
    for name in ("one", "other", "one"):
        tenant = open_tenant(Settings(data=tmp_path), name)
        keys.append(issuer_of(tenant).method.rpartition("#")[2])
        tenant.store.close()

    assert keys[0] == keys[2] != keys[1]


def test_addresses_without_a_public_url_stay_the_same_and_differ_from_each_other(tmp_path):
    tenant = tenant_in(tmp_path, None)

    addresses = [address(tenant, path) for path in ("status/revocation-1", "status/revocation-1", "achievements/x")]
    tenant.store.close()

    assert addresses[0] == addresses[1] != addresses[2]
    assert addresses[0].startswith("urn:uuid:")


@pytest.mark.parametrize("did", ["did:key:z6Mk", "did:web:", "did:web:example.org:..:x", "did:web:example.org::x", "x"])
def test_a_name_that_is_no_did_web_has_no_address(did):
    with pytest.raises(ValueError, match="not a did:web"):
        did_url(did)


def test_a_did_web_of_a_bare_host_is_at_its_well_known_place():
    assert did_url("did:web:example.org") == "https://example.org/.well-known/did.json"


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize(
    ("name", "url", "why"),
    [
        ("Cen\x07tre", None, r"the issuer's name has the hidden character \\x07 in it"),
        ("\x1b[2JCentre", None, r"hidden character \\x1b"),
        (" ", None, "the issuer's name is empty"),
        ("Centre", "centre.example.org", "is no address"),
        ("Centre", "https://cen tre.example.org/", "is no address"),
    ],
)
def test_an_issuer_that_no_badge_could_be_signed_for_is_refused(tenant, name, url, why):
    before = issuer_of(tenant)

    with pytest.raises(Refused, match=why):
        rename(tenant, name, url)

    assert issuer_of(tenant).name == before.name


@pytest.mark.mongo_in_soak
def test_the_home_page_alone_can_be_changed(tenant):
    rename(tenant, "Centre")
    rename(tenant, url="https://centre.example.org")

    assert (issuer_of(tenant).profile()["name"], issuer_of(tenant).url) == (
        "Centre",
        "https://centre.example.org",
    )
