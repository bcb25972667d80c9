"""Registration by hand: what each product calls its values and ours, where they stand, and a platform made of them.

Where the addresses were read: Moodle "LTI and Moodle", Canvas "Configuring LTI 1.3", Blackboard "LTI Advantage:
Registration", Brightspace "LTI Advantage", Open edX "LTI 1.3 consumer".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.lms.lti import platforms, words
from adapters.lms.lti.launch import USERNAME
from adapters.lms.lti.platforms import LtiPlatform, PlatformState
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant


class Product(msgspec.Struct, frozen=True):
    """A product: how it is registered by hand, and what its addresses are, with ``{site}`` for that of the institution.

    *deployment* says where its deployment id is shown.
    """

    name: str
    title: str
    issuer: str
    authorization: str
    token: str
    jwks: str
    deployment: str
    says: str


PRODUCTS = {
    one.name: one
    for one in (
        Product(
            "moodle",
            "Moodle",
            "{site}",
            "{site}/mod/lti/auth.php",
            "{site}/mod/lti/token.php",
            "{site}/mod/lti/certs.php",
            "In Manage tools, the magnifying glass of the tool shows Client ID and Deployment ID.",
            "Site administration, Plugins, External tool, Manage tools: configure a tool manually, LTI version LTI 1.3,"
            " public key type Keyset URL. Tool configuration usage: Show in activity chooser and as a preconfigured"
            " tool. Tick Supports Deep Linking. Under Services, choose Use this service for grade sync and column"
            " management, and Use this service to retrieve members' information: Moodle has both off, and then no grade"
            " and no roster arrives. Under Privacy, share the launcher's name and email if learners should be known by"
            " them, and accept grades from the tool.",
        ),
        Product(
            "canvas",
            "Canvas",
            "https://canvas.instructure.com",
            "https://sso.canvaslms.com/api/lti/authorize_redirect",
            "https://sso.canvaslms.com/login/oauth2/token",
            "https://sso.canvaslms.com/api/lti/security/jwks",
            "Settings, Apps, the wheel beside the tool: Deployment ID. There is one for each account or course.",
            "Admin, Developer Keys, LTI key: choose Paste JSON, and paste the JSON below. The client id is the number"
            " under Details. Then add the app by that client id.",
        ),
        Product(
            "brightspace",
            "Brightspace",
            "{site}",
            "{site}/d2l/lti/authenticate",
            "https://auth.brightspace.com/core/connect/token",
            "{site}/d2l/.well-known/jwks",
            "After the registration, New deployment: its Deployment ID.",
            "Admin tools, Manage extensibility, LTI Advantage: register a tool, standard, with the extensions"
            " Assignment and Grade Services, Deep Linking, Names and Role Provisioning Services.",
        ),
        Product(
            "open-edx",
            "Open edX",
            "{site}",
            "{site}/api/lti_consumer/v1/launch/",
            "{site}/api/lti_consumer/v1/token/NUMBER",
            "{site}/api/lti_consumer/v1/public_keysets/NUMBER",
            "The unit in Studio shows it (it is 1 unless somebody changed it).",
            "Add the advanced component LTI Consumer, version LTI 1.3, tool keyset URL. The published block shows the"
            " client id, the number in the addresses, and the deployment id.",
        ),
        Product(
            "blackboard",
            "Blackboard",
            "https://blackboard.com",
            "https://developer.blackboard.com/api/v1/gateway/oidcauth",
            "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
            "https://developer.blackboard.com/api/v1/management/applications/APPLICATION/jwks.json",
            "Administrator panel, LTI tool providers, the tool: Edit shows the Deployment ID.",
            "Register at developer.blackboard.com as an LTI 1.3 application; its Application ID is the client id, and"
            " stands in the address of the keys. Then an administrator adds it under LTI tool providers.",
        ),
    )
}


ADDRESSES = ("issuer", "authorization", "token", "jwks")
"""The addresses of a platform, as its record and the form name them."""
STAND_INS = ("SITE", "NUMBER", "APPLICATION")
"""Words in the addresses above, in place of something that only the platform knows."""


def product(name: str) -> Product:
    """Raises ``Refused`` (404) if there is none of that name."""
    found = PRODUCTS.get(name)
    if found is None:
        raise Refused("This product is not known here. Choose one from the list.", status=404, error="not_found")
    return found


def register(tenant: Tenant, given: Mapping[str, str], state: PlatformState, *, by: str) -> LtiPlatform:
    """Adds the platform of a form: *given* are its fields. Raises ``Refused`` (400, 409)."""
    issuer, client_id = given.get("issuer", ""), given.get("client_id", "")
    deployments = dict.fromkeys(one.strip() for one in given.get("deployments", "").splitlines() if one.strip())
    made = LtiPlatform(
        platforms.platform_id(issuer, client_id),
        given.get("name", ""),
        issuer,
        client_id,
        given.get("authorization", ""),
        given.get("token", ""),
        given.get("jwks", ""),
        tenant.clock(),
        state=state,
        deployments=tuple(deployments),
        family=given.get("product", ""),
    )
    _check_filled_in(made)
    platforms.check(made)
    platforms.check_https(made, tenant.settings)
    tenant.store.write(lambda tx: platforms.add(tx, made, by)).result()
    return made


def _check_filled_in(made: LtiPlatform) -> None:
    """Raises ``Refused`` (400) for an address in which one of the ``STAND_INS`` is left."""
    for field in ADDRESSES:
        address: str = getattr(made, field)
        left = next((one for one in STAND_INS if one in address.split("/")), None)
        if left is not None:
            message = (
                f"{left} in {address[:200]} stands for something of the platform's own: write what it shows there."
            )
            raise Refused(message, pointer=f"/{field}")


def our_values(root: str) -> list[tuple[str, str]]:
    """What it is called, and the value, of all that is entered in a product. *root* is the tool's address.

    What a link opens is no parameter of the tool: Moodle puts those of the tool over those of a link
    (``lti_build_custom_parameters``), so each link would open the same.
    """
    return [
        ("Tool URL, target link URI, redirect URI, deep linking (content selection) URL", f"{root}/launch"),
        ("Initiate login URL, OpenID Connect login URL", f"{root}/login"),
        ("Public keyset URL, JWKS URL", f"{root}/jwks"),
        ("Custom parameters", f"{USERNAME}=$User.username"),
        ("Domain", web_address(root).netloc.decode()),
    ]


def canvas_json(root: str, title: str) -> dict[str, Any]:
    """The configuration that Canvas takes as JSON when a developer key is made."""
    target = f"{root}/launch"
    placed = {"text": title, "target_link_uri": target}
    placements = [
        {**placed, "placement": "link_selection", "message_type": words.DEEP_LINKING_REQUEST},
        {**placed, "placement": "assignment_selection", "message_type": words.DEEP_LINKING_REQUEST},
        {**placed, "placement": "course_navigation", "message_type": words.RESOURCE_LINK_REQUEST},
    ]
    domain = web_address(root).host
    settings = {"platform": "canvas.instructure.com", "placements": placements}
    return {
        "title": title,
        "description": "Skills and badges, proven by what learners do.",
        "oidc_initiation_url": f"{root}/login",
        "target_link_uri": target,
        "public_jwk_url": f"{root}/jwks",
        "scopes": list(words.SCOPES),
        "custom_fields": {USERNAME: "$User.username"},
        "extensions": [
            {"domain": domain, "platform": "canvas.instructure.com", "privacy_level": "public", "settings": settings}
        ],
    }
