"""Says in words why another server was not reached. Pure."""

from __future__ import annotations

import socket
import ssl

import httpcore2

_WORDS = (
    (socket.gaierror, "its name cannot be resolved"),
    (ssl.SSLCertVerificationError, "its certificate cannot be trusted"),
    (ssl.SSLError, "no encrypted connection to it can be made"),
    (ConnectionRefusedError, "nothing takes connections at its address"),
    (ConnectionError, "it broke the connection off"),
    (httpcore2.RemoteProtocolError, "it broke off in its answer, or what it sent is no HTTP"),
    (TimeoutError, "it did not answer in time"),
    (httpcore2.TimeoutException, "it did not answer in time"),  # its pool takes off what it came from
)


def why(error: BaseException) -> str:
    """The words for *error* or the nearest one beneath it that has words; the name of its kind if none has."""
    cause: BaseException | None = error
    while cause is not None:
        for kind, words in _WORDS:
            if isinstance(cause, kind):
                return words
        cause = cause.__cause__ or cause.__context__  # httpcore2 raises its own "from None"
    return type(error).__name__
