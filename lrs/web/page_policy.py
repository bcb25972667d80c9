"""The security headers of a page: what runs in it, who may cache and frame it, and who learns its address. Pure.

Sources: W3C Content Security Policy 3; Fetch metadata of the HTML standard (Cross-Origin-Opener-Policy); W3C Referrer
Policy; RFC 9111 (Cache-Control).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NOBODY = "'none'"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class PagePolicy:
    """The policy of a page. Only our own scripts and styles run in it, and nothing is loaded from elsewhere.

    *caching* is its ``Cache-Control``. *framed_by* are the origins, such as ``https://moodle.example``, whose pages may
    show it in a frame; by default none. *referrer* is its ``Referrer-Policy``, *opener* its
    ``Cross-Origin-Opener-Policy``. *forms* says whether it may send forms, which go to this origin and to *forms_to*.
    *shows* are the origins whose pages it shows in frames, beside its own. *framed_by_all*: everybody's pages may frame
    it, because it is on the host of content, or has no form and is the same for everybody. Raises ``ValueError`` if a
    value of these is not an origin.
    """

    caching: str = "no-store"
    framed_by: tuple[str, ...] = ()
    referrer: str = "same-origin"
    opener: str = "same-origin"
    forms: bool = True
    forms_to: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    framed_by_all: bool = False

    def __post_init__(self) -> None:
        for origin in (*self.framed_by, *self.forms_to, *self.shows):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, like https://moodle.example")

    def headers(self, nonce: str) -> dict[str, str]:
        """The headers of a page whose styles and scripts have *nonce*.

        It does not use ``'self'``, because stored documents are on our origin, too.
        """
        forms = " ".join(("'self'", *self.forms_to)) if self.forms else _NOBODY
        framed_by = "*" if self.framed_by_all else " ".join(self.framed_by) or _NOBODY
        rules = (
            f"default-src {_NOBODY}",
            f"style-src 'nonce-{nonce}'",
            f"script-src 'nonce-{nonce}'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action {forms}",
            f"frame-ancestors {framed_by}",
            f"base-uri {_NOBODY}",
            *((f"frame-src 'self' {' '.join(self.shows)}",) if self.shows else ()),
        )
        told = {"Content-Security-Policy": "; ".join(rules), "Cross-Origin-Opener-Policy": self.opener}
        # X-Frame-Options cannot name an origin, and an older browser that reads it shows the page in no frame
        framed = {} if self.framed_by or self.framed_by_all else {"X-Frame-Options": "DENY"}
        return told | framed | self.of_redirect()

    def of_redirect(self) -> dict[str, str]:
        """The headers of a redirect from this page; the shell sandboxes it."""
        return {"Cache-Control": self.caching, "Referrer-Policy": self.referrer}
