"""Every setting, read from ``LRS_*`` once at start. Knows no defaults that would be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import DirectoryPath, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lrs.kernel.addresses import web_address

KIB = 1024
MIB = 1024 * KIB
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")

OF_ADAPTERS = {"LRS_ENDPOINT", "LRS_KEY", "LRS_SECRET"}
"""What ``lrs adapter run`` reads beside the settings."""
UNKNOWN = "{} is not a setting of ours: correct its name, or take it away"
"""What is told of a variable that nobody reads: a misspelt setting would be ignored without a word."""


class Settings(BaseSettings):
    """What an operator can change. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="LRS_", extra="ignore", frozen=True, use_attribute_docstrings=True)

    data: Path = Path("data")
    """The folder of the embedded store, and of a master key that is named nowhere else."""
    store_url: str | None = None
    """``sqlite:///PATH`` or ``mongodb://HOST/DATABASE``; by default files under ``LRS_DATA``."""
    control_url: str | None = None
    """The same, for the register of tenants; by default beside their stores."""
    master_key_file: Path | None = None
    """The key that all secrets derive from, 64 hexadecimal digits; by default made once under ``LRS_DATA``."""
    audit_head: Path | None = None
    """A file outside ``LRS_DATA`` that gets the number and hash of the last entry of the record of actions."""
    audit_log_every: float = Field(default=0, ge=0)
    """Seconds for which log lines with the same may wait for newer ones; 0 logs each. The file has each anyway."""
    backup_passphrase: SecretStr | None = None
    """Seals the master key in a backup, and opens it at a restore."""
    backup_passphrase_file: Path | None = None
    """The same, as the content of a file."""
    public_url: str | None = None
    """The address others reach this server at, with a path where it lies behind a proxy's prefix; badges ask there for
    ever."""
    xapi_fallback_version: Literal["1.0.3", "2.0.0"] = "2.0.0"
    """Which version the answer to a request without a version header names."""
    zone: str = "Europe/London"
    """The time zone in which days are days, such as the last one of a competency's validity."""
    rules_review: float = Field(default=24 * 3_600.0, ge=0, le=366 * 24 * 3_600.0)
    """Seconds for which a level that a change of rules alone takes away stays held."""

    max_body: int = Field(default=16 * MIB, gt=0)
    """A request's body without attachments."""
    max_body_with_attachments: int = Field(default=256 * MIB, gt=0)
    """A request's body with attachments."""
    max_statement: int = Field(default=MIB, gt=0)
    """One statement."""
    max_batch: int = Field(default=1_000, gt=0)
    """Statements in a request."""
    max_document: int = Field(default=16 * MIB, gt=0)
    """A state or profile document."""
    max_attachments: int = Field(default=100, gt=0)
    """Attachments in a request whose data is sent along."""
    max_depth: int = Field(default=100, gt=0)
    """Levels of a JSON document."""
    max_page: int = Field(default=1_000, gt=0)
    """Statements in an answer; a larger ``limit`` is lowered to it."""
    default_page: int = Field(default=100, gt=0)
    """Statements in an answer to a request without ``limit``."""
    max_header: int = Field(default=32 * KIB, gt=0)
    """The head of a request."""
    patience: float = Field(default=30.0, gt=0)
    """Seconds without a byte of a request that is not whole; then it is answered 408."""

    open_tenants: int = Field(default=32, gt=0)
    """Tenants whose stores stay open while nobody uses them, each with 7 files and 2 for each thread that reads it."""
    import_files_days: float = Field(default=30, ge=0, le=3_660)
    """Days for which the file of an import is kept after its end, and the file that went back."""

    queue_bytes: int = Field(default=64 * MIB, gt=0)
    """Bodies being worked on at a time; what does not fit is answered 503."""
    queue_count: int = Field(default=4_096, gt=0)
    """Statements that wait to be written; further ones are answered 503."""
    queue_age: float = Field(default=1.0, gt=0)
    """Limit of the write queue: age of the oldest decision in seconds. Above it, new ones are refused."""

    celery_broker: str | None = None
    """``redis://`` or ``amqp://``: workers elsewhere (``lrs work --celery``) do what ``lrs serve``'s own would."""
    celery_queue: str | None = None
    """The queue on that broker; by default a name of this store's own."""
    worker_pause: float = Field(default=60.0, gt=0)
    """The longest pause in seconds before a built-in worker that keeps dying is started again."""
    sweep: float = Field(default=30.0, gt=0)
    """Seconds between two looks of such a worker at what is due, whatever it has been told."""
    metrics_open: bool = False
    """Whether ``/metrics`` is served to whoever asks; otherwise to keys with the scope ``admin``."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written."""
    outbound_allow: tuple[str, ...] = ()
    """Hosts or networks outside the public internet that outbound calls may reach, as JSON: ``["127.0.0.1/32"]``."""

    signature_trust: DirectoryPath | None = None
    """A folder of PEM files: certificates whose signatures on statements are believed."""

    worker: bool = True
    """Whether ``lrs serve`` starts ``lrs work`` beside it."""

    @field_validator("*", mode="before")
    @classmethod
    def _says_something(cls, given: object) -> object:
        """A variable that is empty was forgotten: an empty folder would be whichever the program is started in."""
        if given == "":
            raise ValueError("is empty: take it away, or give it a value")
        return given

    @field_validator("audit_head")
    @classmethod
    def _lies_elsewhere(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        data = given.data.get("data")
        if path and data and path.absolute().resolve().is_relative_to(data.absolute().resolve()):
            raise ValueError("lies in LRS_DATA, where whoever changes the store can change it too; name one elsewhere")
        return path

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            web_address(url)
            is_plain = not {"?", "#"} & set(url)
        except ValueError:
            is_plain = False
        if not is_plain:
            raise ValueError("no address of a server; write it like https://lrs.example.org")
        if not _PREFIX.fullmatch(urlsplit(url).path):
            raise ValueError(
                "a path that cannot be a prefix: it may have letters, digits and . _ ~ - between single slashes, like"
                " https://example.org/engraft"
            )
        return url

    @property
    def prefix(self) -> str:
        """The path of ``public_url``, like ``/engraft``; empty if it has none."""
        return urlsplit(self.public_url or "").path.rstrip("/")

    @field_validator("celery_broker")
    @classmethod
    def _is_a_broker(cls, url: str | None) -> str | None:
        if url and not re.match(r"(rediss?|amqps?|memory)://", url):
            raise ValueError("no broker we can use; write it like redis://HOST/0 or amqp://HOST")
        return url

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError("no time zone of that name; write it like Europe/London") from error
        return zone


def unknown_names(environment: Iterable[str]) -> list[str]:
    """The names that begin with ``LRS_`` and are read by nobody, but for those of our tests."""
    known = {f"LRS_{name.upper()}" for name in Settings.model_fields} | OF_ADAPTERS
    return sorted(
        name for name in environment if name.startswith("LRS_") and name not in known and name[:9] != "LRS_TEST_"
    )
