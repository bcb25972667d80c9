"""The badge as a PDF certificate. What draws it is loaded when the first one is asked for."""

from __future__ import annotations

from badges.forms.form import Form, StoredBadge


def _pdf(badge: StoredBadge) -> bytes:
    from badges.forms.certificate import certificate  # noqa: PLC0415 (fpdf2 and its fonts take 25 MB of every process)

    return certificate(badge)


FORM = Form(
    name="pdf",
    media_type="application/pdf",
    ending=".pdf",
    make=_pdf,
    title="Certificate (PDF)",
    about="To print, or to send with an application.",
    place=10,
)
