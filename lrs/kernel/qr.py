"""QR codes (ISO/IEC 18004) as values for a page; the template draws them."""

from __future__ import annotations

import segno


def qr_code(text: str) -> tuple[int, str]:
    """*text* as a QR code: how many units wide it is with its margin, and the path (SVG ``d``) of its dark parts."""
    code = segno.make(text, error="m", micro=False)
    rows = code.matrix_iter(scale=1, border=4)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return int(code.symbol_size(scale=1, border=4)[0]), path
