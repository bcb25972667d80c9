"""Says in words why another server was not reached. Pure."""

from __future__ import annotations

import socket
import ssl

_WORDS = (
    (socket.gaierror, "its name cannot be resolved"),
    (ssl.SSLCertVerificationError, "its certificate cannot be trusted"),
    (ssl.SSLError, "no encrypted connection to it can be made"),
    (ConnectionRefusedError, "nothing takes connections at its address"),
    (ConnectionError, "it broke the connection off"),
    (TimeoutError, "it did not answer in time"),
)


def why(error: BaseException) -> str:
    """The words for what is beneath *error*; the name of its kind if there are none for it."""
    cause = error
    while beneath := cause.__cause__ or cause.__context__:
        cause = beneath
    return next((words for kind, words in _WORDS if isinstance(cause, kind)), type(error).__name__)
