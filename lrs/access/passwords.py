"""Passwords of people: which are taken, and how they are kept and checked (argon2id). Knows no account.

Sources: NIST SP 800-63B-4 3.1.1 (length, a list of the commonest, no other rules, NFKC), RFC 9106 4 (parameters).
Hashing takes a tenth of a second and 64 MiB. It is done in a pool of two threads; of those who wait for it only
``WAITING`` are let in, so that signing in can take neither the memory of the server nor the threads of other requests.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lrs.kernel.admission import SIGNING_IN, Overloaded
from lrs.kernel.errors import Refused

T = TypeVar("T")
SHORTEST, LONGEST = 12, 1_024
"""Characters of a password."""
AT_ONCE, WAITING = 2, 16
"""Passwords that are hashed at a time, and those that are hashed or wait for it."""
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1_024, parallelism=1, hash_len=32, salt_len=16)
"""RFC 9106 4, second choice (3 passes, 64 MiB), in one lane: two are hashed at a time already."""
_pool = ThreadPoolExecutor(AT_ONCE, "password")
_places = threading.BoundedSemaphore(WAITING)

COMMONEST = frozenset(
    [
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789123",
        "1234567890qwerty",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv",
        "111111111111",
        "000000000000",
        "121212121212",
        "123123123123",
        "112233445566",
        "987654321012",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopas",
        "qwertyuiop[]",
        "qwerty123456",
        "qwerty1234567",
        "qwertyqwerty",
        "asdfghjkl123",
        "asdfghjkl;'#",
        "zxcvbnm12345",
        "qazwsxedcrfv",
        "abcdefghijkl",
        "abcdef123456",
        "abcd12345678",
        "aaaaaaaaaaaa",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "password!123",
        "password2024",
        "password2025",
        "password2026",
        "passw0rd1234",
        "p@ssw0rd1234",
        "p@ssword1234",
        "mypassword123",
        "newpassword1",
        "changeme1234",
        "changemenow!",
        "letmein12345",
        "letmeinplease",
        "welcome12345",
        "welcome123456",
        "iloveyou1234",
        "iloveyouforever",
        "administrator",
        "administrator1",
        "adminadminadmin",
        "admin1234567",
        "trustno1trustno1",
        "correcthorsebatterystaple",
        "footballfootball",
        "liverpool123",
        "manchester12",
        "manutd123456",
        "arsenal12345",
        "superman1234",
        "princess1234",
        "sunshine1234",
        "monkeymonkey",
        "dragondragon",
        "summer202026",
        "winter202026",
        "learningrecordstore",
    ]
) | {"correct horse battery staple"}
"""The commonest of those that are long enough, and some that this product suggests, in lower case."""


def accepted(password: str) -> str:
    """*password* as it is hashed (NFKC). Raises ``Refused`` (400), which says what to change."""
    normal = unicodedata.normalize("NFKC", password) if len(password) <= LONGEST else ""
    if not SHORTEST <= len(normal) <= LONGEST:
        raise Refused(f"Choose a password of {SHORTEST} to {LONGEST:,} characters; several words make a good one.")
    if normal.casefold() in COMMONEST:
        raise Refused("This password is one of the commonest, and is tried first by whoever guesses. Choose another.")
    return normal


def hashed(password: str) -> str:
    """What is kept of a *password* that was ``accepted``."""
    return _in_pool(lambda: _HASHER.hash(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether *password* is the one of which *kept* was kept.

    Where there is none (``None``), as much is computed as where there is one, so that nobody learns of it by the time.
    """
    if len(password) > LONGEST:
        password = ""
    normal = unicodedata.normalize("NFKC", password)
    return _in_pool(lambda: _verified(normal, kept))


def is_outdated(kept: str) -> bool:
    """Whether *kept* was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def _verified(password: str, kept: str | None) -> bool:
    if kept is None:
        _HASHER.hash(password)
        return False
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _in_pool(compute: Callable[[], T]) -> T:
    if not _places.acquire(blocking=False):
        raise Overloaded(SIGNING_IN)
    try:
        return _pool.submit(compute).result()
    finally:
        _places.release()
