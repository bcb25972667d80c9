"""Logging: one line for each event on standard error, for people or as JSON. Knows no event.

The text of an exception may quote what somebody sent. So the log has the type of the exception and where it was raised,
and not its text.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["console", "json"]
AUDIT = "lrs.audit"
"""The logger of the record of actions. Its events are shown at level INFO."""
_Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def log_to_stderr(format: Format) -> None:
    """Sends our events, and those of libraries from WARNING up, to standard error in *format*."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        place_of_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(format)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(AUDIT).setLevel(logging.INFO)


def place_of_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces an exception by ``error`` (its type) and ``at`` (a list of its frames).

    Each frame is file, line and function; the outermost comes first.
    """
    raised = _raised(event.pop("exc_info", None))
    if raised is not None:
        frames = traceback.extract_tb(raised[2])
        event["error"] = raised[0].__name__
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _raised(given: object) -> _Raised | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple) and given[0] is not None:
        return given
    if given:
        kind, error, trace = sys.exc_info()
        if kind is not None and error is not None:
            return kind, error, trace
    return None


def _renderer(format: Format) -> Processor:
    if format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
