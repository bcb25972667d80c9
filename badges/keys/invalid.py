"""Why a key, a signature or a badge fails a check."""

from __future__ import annotations


class Invalid(Exception):
    """A badge, or a key, fails a check. The message is a sentence, *code* the reason for programs."""

    def __init__(self, why: str, code: str) -> None:
        super().__init__(why)
        self.code = code
