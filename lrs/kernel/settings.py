"""Every setting, read once at start from variables ``LRS_*``. No secret has a default."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import DirectoryPath, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from lrs.kernel import admission
from lrs.kernel.addresses import web_address
from lrs.kernel.content_hosts import TENANT, as_example, is_content_host, origin_for
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import checked_mailbox, mail_server

KIB = 1024
MIB = 1024 * KIB
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")

OF_ADAPTERS = {"LRS_ENDPOINT", "LRS_KEY", "LRS_SECRET"}
"""Variables that ``lrs adapter run`` reads and that are no settings."""
UNKNOWN = "{} is not a setting of ours: correct its name, or take it away"
"""The warning about a variable that nothing reads. Without it, a misspelt setting would be ignored in silence."""


class Settings(BaseSettings):
    """What an operator can change. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="LRS_", extra="ignore", frozen=True)

    data: Path = Path("data")
    """The folder of the embedded store, and of a master key that is named nowhere else."""
    store_url: str | None = None
    """``sqlite:///PATH`` or ``mongodb://HOST/DATABASE``; by default files under ``LRS_DATA``."""
    control_url: str | None = None
    """The same, for the register of tenants; by default beside their stores."""
    master_key_file: Path | None = None
    """The file of the master key, 64 hexadecimal digits. By default it is made once in ``LRS_DATA``."""
    signer: str | None = None
    """Who keeps new keys that sign badges, ``module:function`` (see ``lrs.tenancy.signers``); by default this program,
    encrypted in the store.
    """
    audit_head: Path | None = None
    """A file outside ``LRS_DATA`` that gets the number and hash of the last entry of the record of actions."""
    audit_log_every: float = Field(default=0, ge=0)
    """Seconds for which the log lines about this may wait, so that one line says what several would; 0 logs each. The
    file is written each time.
    """
    backup_passphrase: SecretStr | None = None
    """Encrypts the master key in a backup, and decrypts it in a restore."""
    backup_passphrase_file: Path | None = None
    """The same, as the content of a file."""
    public_url: str | None = None
    """The address at which others reach this server, with a path if a proxy serves it under a prefix. Addresses of
    badges contain it for ever.
    """
    pages_url: str | None = None
    """The address at which people reach the pages, without a path of its own; by default that of ``public_url``. Links
    in mails begin with it, and the cookies of who is signed in are for its host alone.
    """
    content_url: str | None = None
    """The address of another host of this server, for packages and whatever else others uploaded. Without it no package
    is served. It cannot be the host of the pages, or what was uploaded could act as whoever is signed in. With
    ``{tenant}`` as the first part of the host, each tenant's content has a host of its own.
    """
    scorm_again: DirectoryPath | None = None
    """The folder of the npm package ``scorm-again``, which runs SCORM courses. Without it none can be opened."""
    smtp_url: SecretStr | None = None
    """The mail server: ``smtp://USER:PASSWORD@HOST:587`` (STARTTLS is asked for, but on this machine) or ``smtps://``.
    Signs such as ``@`` in user and password are written as ``%40``. Without it mails are held, and their links can be
    copied.
    """
    mail_sender: str | None = None
    """The address that mails come from; by default ``noreply`` at the host of the pages. A tenant can have its own."""
    xapi_fallback_version: Literal["1.0.3", "2.0.0"] = "2.0.0"
    """The xAPI version in the answer to a request without a version header."""
    zone: str = "Europe/London"
    """The time zone of dates, such as the last day on which a competency is valid."""
    rules_review: float = Field(default=24 * 3_600.0, ge=0, le=366 * 24 * 3_600.0)
    """Seconds for which a level stays held when only a change of rules takes it away."""

    max_body: int = Field(default=16 * MIB, gt=0)
    """Bytes of a request's body without attachments."""
    max_body_with_attachments: int = Field(default=256 * MIB, gt=0)
    """Bytes of a request's body with attachments."""
    max_statement: int = Field(default=MIB, gt=0)
    """Bytes of one statement."""
    max_batch: int = Field(default=1_000, gt=0)
    """Statements in a request."""
    max_document: int = Field(default=16 * MIB, gt=0)
    """Bytes of a state or profile document."""
    max_attachments: int = Field(default=100, gt=0)
    """Attachments in one request that have their data in it."""
    max_depth: int = Field(default=100, gt=0)
    """Levels of nesting in a JSON document."""
    max_page: int = Field(default=1_000, gt=0)
    """Statements in one answer; a larger ``limit`` is lowered to this."""
    default_page: int = Field(default=100, gt=0)
    """Statements in an answer to a request without ``limit``."""
    max_header: int = Field(default=32 * KIB, gt=0)
    """Bytes of the headers of a request, to whichever address."""
    patience: float = Field(default=30.0, gt=0)
    """Seconds without a byte while a request is incomplete; then it is answered with 408."""

    open_tenants: int = Field(default=32, gt=0)
    """Tenants whose stores stay open while they are not used. Each has 7 open files, and 2 more for each thread that
    reads it.
    """
    import_files_days: float = Field(default=30, ge=0, le=3_660)
    """Days for which the file of an import, and the file that was returned, are kept after the import has ended."""

    queue_bytes: int = Field(default=admission.MEMORY_BYTES, gt=0)
    """Bytes of all requests' bodies that are in memory at a time; what does not fit is answered 503."""
    queue_count: int = Field(default=admission.QUEUE_STATEMENTS, gt=0)
    """Rows that wait to be written, for each tenant, counted in plain statements of 19; further ones are answered
    503."""
    queue_age: float = Field(default=admission.QUEUE_SECONDS, gt=0)
    """Limit of the same queue: age of the oldest decision in seconds. Above it, new ones are answered 503."""

    celery_broker: str | None = None
    """``redis://`` or ``amqp://``: Celery workers (``lrs work --celery``) do the work that ``lrs serve`` would do
    itself.
    """
    celery_queue: str | None = None
    """The queue on that broker; by default a name that is unique for this store."""
    worker_processes: int | None = Field(default=None, ge=1, le=64)
    """How many processes do owed work, beside ``lrs serve`` and in ``lrs work``; by default one less than there are
    cores, at least 1 and at most 4.
    """
    worker_pause: float = Field(default=60.0, gt=0)
    """The longest pause in seconds before the built-in worker is started again after it has died."""
    sweep: float = Field(default=30.0, gt=0)
    """Seconds after which a Celery worker looks for owed work even if no message came."""
    metrics_open: bool = False
    """Whether anybody may read ``/metrics``. Otherwise it takes an operator's key."""
    log_format: Literal["console", "json"] = "console"
    """The form of log lines."""
    outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts or networks outside the public internet that outbound calls may reach, with commas between them, such as
    ``127.0.0.1, 10.0.0.0/8``, or as JSON: ``["127.0.0.1/32"]``.
    """

    signature_trust: DirectoryPath | None = None
    """A folder of PEM files: certificates that are trusted for signatures on statements."""

    worker: bool = True
    """Whether ``lrs serve`` starts ``lrs work`` as a second process."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Looks for each setting in the environment, 2 ms of CPU, only if there is any of ours."""
        _ = settings_cls, dotenv_settings, file_secret_settings
        is_set = any(name.upper().startswith("LRS_") for name in os.environ)
        return (init_settings, env_settings) if is_set else (init_settings,)

    @field_validator("*", mode="before")
    @classmethod
    def _says_something(cls, given: object) -> object:
        """Refuses a variable that is set to nothing. An empty folder name would mean the current directory."""
        if given == "":
            raise ValueError("is empty: take it away, or give it a value")
        return given

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _is_a_list(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if not given.lstrip().startswith("["):
            return tuple(given.replace(",", " ").split())
        try:
            return tuple(json.loads(given))
        except ValueError as error:
            raise ValueError("is no list; write it like 127.0.0.1, 10.0.0.0/8") from error

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

    @field_validator("pages_url", "content_url")
    @classmethod
    def _is_an_origin(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        try:
            parts = web_address(as_example(url))
        except ValueError as error:
            why = str(error) if TENANT in url else "write it like https://lrs.example.org"
            raise ValueError(f"no address of a server; {why}") from error
        if TENANT in url and info.field_name != "content_url":
            raise ValueError("{tenant} is for LRS_CONTENT_URL only")
        if parts.raw_path not in {b"", b"/"} or {"?", "#"} & set(url):
            raise ValueError("has a path: the path of LRS_PUBLIC_URL holds here too; write only scheme, host and port")
        return url.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            mail_server(url.get_secret_value())
        return url

    @field_validator("mail_sender")
    @classmethod
    def _is_a_mailbox(cls, address: str | None) -> str | None:
        try:
            return checked_mailbox(address) if address is not None else None
        except Refused as refused:
            raise ValueError(refused.message) from refused

    @model_validator(mode="after")
    def _keeps_content_apart(self) -> Self:
        """Refuses one host for pages and content. Ports do not count: a browser sends cookies to all of a host."""
        pages = self.pages_url or self.public_url
        if self.content_url and pages and is_content_host(self.content_url, web_address(pages).host.lower()):
            raise ValueError(
                "LRS_CONTENT_URL: has the host of the pages, where what others uploaded could act as whoever is signed"
                " in; give content a host of its own, like https://content.example.org"
            )
        return self

    def content_origin(self, tenant: str) -> str | None:
        """The origin of the content of *tenant*; ``None`` where no host is set for it."""
        return origin_for(self.content_url, tenant) if self.content_url else None

    @property
    def pages_root(self) -> str | None:
        """Where people reach the pages, with the prefix, without a slash at its end; ``None`` if nothing says so."""
        if self.pages_url is None:
            return self.public_url.rstrip("/") if self.public_url else None
        return self.pages_url + self.prefix

    @property
    def prefix(self) -> str:
        """The path of ``public_url``, such as ``/engraft``; empty if it has none."""
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
    """The names in *environment* that begin with ``LRS_`` and that nothing reads. ``LRS_TEST_*`` is left out."""
    known = {f"LRS_{name.upper()}" for name in Settings.model_fields} | OF_ADAPTERS
    return sorted(
        name for name in environment if name.startswith("LRS_") and name not in known and name[:9] != "LRS_TEST_"
    )
