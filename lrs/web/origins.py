"""The host of our pages, and whether a form came from one of them. Knows no route and no session.

``Host`` and ``X-Forwarded-*`` are not used, because a client can forge them: an address in a link is a configured one,
or that of this machine. Sources: OWASP Cross-Site Request Forgery Prevention, "Fetch Metadata" and "Verifying Origin";
RFC 6265bis 4.1.3 (prefixes of cookies).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from lrs.access.policy.lines import PolicyLine
from lrs.access.policy.operators import OPERATOR
from lrs.kernel.addresses import web_address
from lrs.kernel.content_hosts import is_content_host, settings_for
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.pages import PORT, pages_address
from lrs.tenancy.tenants import Tenant
from lrs.web.browsers import is_foreign
from lrs.web.exchange import exchange_of, tenant_of

FOR_EVERYBODY = frozenset({"public", "achievement", "shared", "verify", "content"})
"""Pages that are the same for everybody, or have their place on the host of content: they know no session."""
_OURS = {"same-origin", "none"}
_PORT_OF_HOST = re.compile(r":\d*\Z")


def pages_address_for(request: HTTPConnection) -> str:
    """The same for the tenant that *request* is about."""
    tenant = tenant_of(request)
    return pages_address(tenant.settings, tenant.id, port_of(request))


def content_settings(request: HTTPConnection, settings: Settings, planned: str = "") -> list[str]:
    """The settings that whoever runs the server makes so that packages are served; none where they are.

    *planned* is the address that the pages get at the next start.
    """
    if settings.content_url is not None:
        return []
    root = planned or settings.pages_root
    return settings_for(root or pages_address_for(request), is_set=root is not None)


def port_of(request: HTTPConnection) -> int:
    """The port on which this server took *request*."""
    server = request.scope.get("server") or ("", PORT)
    return server[1] or PORT


def base_of(request: HTTPConnection) -> str:
    """The path in front of every page of the tenant of *request*: nothing, a prefix, ``/t/<tenant>``.

    For the installation it is that of its operator's pages.
    """
    tenant = exchange_of(request).tenant
    own = OPERATOR if tenant is not None and tenant.is_installation else ""
    return f"{request.scope.get('root_path', '')}{own}"


def is_from_elsewhere(headers: Mapping[str, str], settings: Settings) -> bool:
    """Whether a page of another site sent this form.

    A browser that sends neither ``Sec-Fetch-Site`` nor ``Origin`` is believed; its forms still have our token.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OURS
    return is_foreign(headers) and headers.get("origin") != origin_of(settings.pages_root or "")


def origin_of(address: str) -> str:
    """The origin of *address* as a browser writes it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_on_content_host(headers: Mapping[str, str], settings: Settings) -> bool:
    """Whether the request was sent to a host that serves uploaded content only."""
    return settings.content_url is not None and is_content_host(settings.content_url, _host(headers))


def is_on_content_host_of(tenant: str, headers: Mapping[str, str], settings: Settings) -> bool:
    """Whether the request was sent to the host that serves the content of *tenant*."""
    found = settings.content_origin(tenant)
    return found is not None and _host(headers) == web_address(found).host.lower()


def _host(headers: Mapping[str, str]) -> str:
    return _PORT_OF_HOST.sub("", headers.get("host", "").lower())


def check_page(line: PolicyLine, method: str, headers: Mapping[str, str], settings: Settings, path: str) -> None:
    """Refuses (403) a form of another site's page, and redirects from the content host to the host of the pages.

    Raises ``Refused``. It is for addresses of pages and does not look at who is signed in.
    """
    if method == "POST" and not line.foreign_forms and is_from_elsewhere(headers, settings):
        message = "This form was sent by a page that is not ours. Open the page here, and send it from there."
        raise Refused(message, status=403, error="foreign_form")
    if line.pages not in FOR_EVERYBODY and is_on_content_host(headers, settings):
        root = origin_of(settings.pages_root) if settings.pages_root else ""
        where = (("location", root + path),) if method == "GET" and root else ()
        message = f"This host serves uploaded content only. The pages are at {root or 'another one'}."
        raise Refused(message, status=307 if where else 421, error="misdirected", headers=where)


# -- cookies --------------------------------------------------------------------------------------------------------


def session_cookie(tenant: Tenant) -> str:
    """The name of the cookie with the token of a session."""
    return _name(tenant, "")


def form_cookie(tenant: Tenant) -> str:
    """The name of the cookie that binds forms, links and codes to a browser before anybody is signed in."""
    return _name(tenant, ".form")


def device_cookie(tenant: Tenant) -> str:
    """The name of the cookie that says who signed in here last."""
    return _name(tenant, ".device")


def provider_cookie(tenant: Tenant) -> str:
    """The name of the cookie for the return from a sign-in at a provider."""
    return _name(tenant, ".provider")


def then_cookie(tenant: Tenant) -> str:
    """The name of the cookie with the page that a learner wants to open after signing in by a message."""
    return _name(tenant, ".then")


def cookie(request: HTTPConnection, name: str) -> str | None:
    """The value of the cookie *name*."""
    return request.cookies.get(name)


def set_cookie(answer: Response, tenant: Tenant, name: str, value: str, seconds: int) -> None:
    """Sets a cookie that no script can read and that forms of other sites do not send."""
    is_secure = _is_secure(tenant)
    answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=is_secure, path="/")


def drop_cookie(answer: Response, tenant: Tenant, name: str) -> None:
    """Removes a cookie."""
    answer.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=_is_secure(tenant))


def _name(tenant: Tenant, of: str) -> str:
    """The name for this tenant. With ``__Host-`` no other host, and no plain connection, can set it."""
    prefix = "__Host-" if _is_secure(tenant) else ""
    return f"{prefix}engraft.{tenant.id}{of}"


def _is_secure(tenant: Tenant) -> bool:
    return (tenant.settings.pages_root or "").startswith("https:")


def client_of(request: HTTPConnection) -> str:
    """The IP address that *request* came from."""
    return request.client.host if request.client else ""
