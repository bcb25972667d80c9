"""Refusals of OpenID4VCI: a code of the standard, and the sentence also where OAuth 2.0 has it. Knows no route."""

from __future__ import annotations

from lrs.kernel.errors import Refused


class WalletRefused(Refused):
    """A refusal of the token, credential or notification endpoint. *error* is a code of the standard.

    Sources: RFC 6749, 5.2; RFC 6750, 3.1; OpenID4VCI 1.0, 6.3, 8.3.1 and 11.3.
    """

    nonce: str = ""
    """A nonce for the next proof, where a wallet of Draft 13 expects it."""

    def __init__(self, error: str, message: str, *, status: int = 400, pointer: str | None = None) -> None:
        told = (("WWW-Authenticate", f'Bearer error="{error}"'),) if status == 401 else ()
        headers = (("Cache-Control", "no-store"), *told)
        super().__init__(message, status=status, error=error, pointer=pointer, headers=headers)

    def shown(self, request_id: str) -> dict[str, object]:
        """See ``Refused.shown``; the sentence stands in ``error_description``, too."""
        given = {"c_nonce": self.nonce} if self.nonce else {}
        return super().shown(request_id) | {"error_description": self.message, **given}
