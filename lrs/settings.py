"""Every setting, read from ``LRS_*`` once at start. Knows no defaults that would be a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KIB = 1024
MIB = 1024 * KIB


class Settings(BaseSettings):
    """What an operator can change. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="LRS_", extra="ignore", frozen=True)

    data: Path = Path("data")
    store_url: str | None = None
    control_url: str | None = None
    master_key_file: Path | None = None
    public_url: str | None = None
    xapi_fallback_version: Literal["1.0.3", "2.0.0"] = "2.0.0"
    zone: str = "Europe/London"

    max_body: int = Field(default=16 * MIB, gt=0)
    max_body_with_attachments: int = Field(default=256 * MIB, gt=0)
    max_statement: int = Field(default=MIB, gt=0)
    max_batch: int = Field(default=1_000, gt=0)
    max_document: int = Field(default=16 * MIB, gt=0)
    max_attachments: int = Field(default=100, gt=0)
    max_depth: int = Field(default=100, gt=0)
    max_page: int = Field(default=1_000, gt=0)
    default_page: int = Field(default=100, gt=0)
    max_header: int = Field(default=32 * KIB, gt=0)
    patience: float = Field(default=30.0, gt=0)
    """Seconds without a byte of a request that is not whole; then it is answered 408."""

    queue_bytes: int = Field(default=64 * MIB, gt=0)
    queue_count: int = Field(default=4_096, gt=0)
    queue_age: float = Field(default=1.0, gt=0)

    celery_broker: str | None = None
    """``redis://`` or ``amqp://``: workers elsewhere (``lrs work --celery``) do what ``lrs serve``'s own would."""
    celery_queue: str | None = None
    """The queue on that broker; by default a name of this store's own."""
    sweep: float = Field(default=30.0, gt=0)
    """Seconds between two looks of such a worker at what is due, whatever it has been told."""
    metrics_open: bool = False
    """Whether ``/metrics`` is served to whoever asks; otherwise to keys with the scope ``admin``."""
    log_format: Literal["console", "json"] = "console"
    outbound_allow: tuple[str, ...] = ()
    """Hosts or networks outside the public internet that outbound calls may reach, e.g. ``127.0.0.1/32``."""

    signature_trust: Path | None = None
    """A folder of PEM files: certificates whose signatures on statements are believed."""

    worker: bool = True
    """Whether ``lrs serve`` starts ``lrs work`` beside it."""
