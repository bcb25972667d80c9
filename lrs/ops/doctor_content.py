"""Checks where packages of courses are served from, and whether SCORM courses can run. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.lms.scorm import run_time
from lrs.kernel.content_hosts import TENANT, settings_for
from lrs.kernel.settings import Settings
from lrs.ops.doctor import Finding

EXAMPLE = "http://127.0.0.1:8080"


def of_content(settings: Settings, tenants: int) -> Iterator[Finding]:
    """Findings, where there are so many *tenants* on this server."""
    yield _hosts(settings, tenants)
    folder = settings.scorm_again
    if folder is None:
        message = "LRS_SCORM_AGAIN names no folder: SCORM courses can be brought in, and not opened"
        yield Finding("scorm", "ok", message)
    else:
        why = run_time.missing(folder)
        yield Finding("scorm", "problem" if why else "ok", why or f"SCORM courses run with what is in {folder}")


def _hosts(settings: Settings, tenants: int) -> Finding:
    if settings.content_url is None:
        lines = settings_for(settings.pages_root or EXAMPLE, is_set=settings.pages_root is not None)
        where = "such as" if settings.pages_root else "on this machine alone, with the port of lrs serve,"
        message = f"LRS_CONTENT_URL names no host for content: no package is served; set {where} {' '.join(lines)}"
        return Finding("content-url", "warning", message)
    if settings.pages_root is None:
        message = "LRS_CONTENT_URL is set and LRS_PAGES_URL is not: name the host of the pages, too"
        return Finding("content-url", "problem", message)
    if tenants > 1 and TENANT not in settings.content_url:
        message = (
            f"the packages of all {tenants} organisations share {settings.content_url}, so those of one can read what"
            " those of another keep in a browser: give each a host, like https://{tenant}.content.example.org"
        )
        return Finding("content-url", "warning", message)
    return Finding("content-url", "ok", f"content is at {settings.content_url}, pages are at {settings.pages_root}")
