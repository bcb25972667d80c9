"""Why a JSON-LD document must not be signed or trusted."""


class Unsafe(Exception):
    """The document contains something that its canonical form would not, or is too expensive to process.

    *code* is the reason for programs.
    """

    def __init__(self, why: str, code: str = "unsafe") -> None:
        super().__init__(why)
        self.code = code
