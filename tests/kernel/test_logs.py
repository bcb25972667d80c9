"""What reaches the log, and what does not."""

import json
import subprocess
import sys

CODE = """
import logging, structlog
from lrs.kernel.logs import log_to_stderr
log_to_stderr("{format}")
log = structlog.get_logger()
log.info("not told")
structlog.get_logger("lrs.audit").info("told")
logging.getLogger("library").info("not told")
log.warning("step failed", step="sync", tries=2)
try:
    int("ann@example.org")
except ValueError as error:
    log.exception("work interrupted")
    log.error("request failed", exc_info=error)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
logging.getLogger("uvicorn.error").warning("slow %s", "loop")
"""


def logged(format):
    told = subprocess.run(
        [sys.executable, "-c", CODE.format(format=format)], capture_output=True, text=True, check=True
    )
    assert told.stdout == ""
    return told.stderr


def test_events_are_json_lines_on_standard_error_from_warning_on():
    lines = [json.loads(line) for line in logged("json").splitlines()]

    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "told"),  # the record of actions
        ("warning", "step failed"),
        ("error", "work interrupted"),
        ("error", "request failed"),
        ("error", "Exception in ASGI application"),
        ("warning", "slow loop"),
    ]
    assert (lines[1]["step"], lines[1]["tries"], lines[1]["timestamp"][-1]) == ("sync", 2, "Z")


def test_an_exception_is_told_by_type_and_place_never_by_its_words():
    for format in ("json", "console"):
        assert "ann@example.org" not in logged(format)

    failed = [json.loads(line) for line in logged("json").splitlines()][2:5]

    assert [line["error"] for line in failed] == ["ValueError"] * 3
    assert [line["at"] for line in failed] == [["<string>:11 <module>"]] * 3
