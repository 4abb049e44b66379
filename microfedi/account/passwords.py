"""The owner's password: what is accepted, and its slow hash (Argon2id), split in two.

One half is stored, to know the password again. The other half is never stored: it opens the message
vault. HKDF makes both of the one hash, so neither tells anything of the other, and what lies on the
disk for the login does not open the vault.

A hash takes 64 MiB and a good part of a second, so on a small machine hashing is itself a way to
keep it busy: one at a time, in a thread of its own, behind a queue that is soon full.
"""

import asyncio
import base64
import hmac
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from microfedi.account import weak
from microfedi.errors import InvalidInput, TooBusy

T = TypeVar("T")

MIN_CHARS = 12  # characters; length instead of rules about signs and capitals
MAX_CHARS = 500  # characters; phrases and password managers need fewer
MAX_BYTES = 4096  # of what was typed, before anything is done with it

# Above what OWASP ASVS 5.0 (appendix C) asks for, and a sixteenth of the smallest usual server.
MEMORY_KIB = 64 * 1024
ITERATIONS = 3
LANES = 1
SALT_BYTES = 16  # RFC 9106 3.1
HASH_BYTES = 32

MAX_WAITING = 8  # hashes that wait for their turn, about two seconds' worth
RETRY_AFTER_S = 5  # seconds; by then the queue has been worked off

_PARAMETERS = f"$argon2id-split$v=1$m={MEMORY_KIB},t={ITERATIONS},p={LANES}$"
# Stored with other parameters: by an older version, or brought along. Bounded, as the hash of a
# damaged file must not ask for all the memory there is.
_NUMBERS = r"m=([0-9]{1,7}),t=([0-9]{1,2}),p=([1-4])"
_STORED = re.compile(
    r"\$argon2id-split\$v=1\$" + _NUMBERS + r"\$([A-Za-z0-9+/=]{24})\$([A-Za-z0-9+/=]{44})"
)
_STORED_WHOLE = re.compile(r"\$argon2id\$v=19\$" + _NUMBERS + r"\$[^$]+\$[^$]+")  # before the vault
_MAX_STORED_KIB = 256 * 1024

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password")
_waiting = threading.BoundedSemaphore(MAX_WAITING)


def normalised(password: str) -> bytes:
    """Return the bytes that are hashed: NFC, so that an é is an é on every keyboard.

    Nothing is cut off or trimmed.

    Raises: InvalidInput (`password`) if it is too long to look at, or no text.
    """
    # Characters are counted first: encoding a megabyte to find it too long would be work done.
    if len(password) > MAX_BYTES or len(password.encode(errors="replace")) > MAX_BYTES:
        raise InvalidInput(
            "password", "A password has at most %(limit)s characters.", limit=MAX_CHARS
        )
    text = unicodedata.normalize("NFC", password)
    if len(text) > MAX_CHARS:
        raise InvalidInput(
            "password", "A password has at most %(limit)s characters.", limit=MAX_CHARS
        )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("password", "This contains something that is not text.") from error


def check(password: str, *, own_words: Iterable[str] = ()) -> None:
    """Say what is wrong with a new password, if anything is.

    `own_words` are the owner's handle and host, which everybody knows.

    Raises: InvalidInput (`password`).
    """
    text = normalised(password).decode()
    if len(text) < MIN_CHARS:
        raise InvalidInput(
            "password", "A password needs at least %(limit)s characters.", limit=MIN_CHARS
        )
    if weak.is_weak(text, own_words=own_words):
        raise InvalidInput(
            "password",
            "That would be guessed soon. Take several words that do not belong together, or let "
            "a password manager choose.",
        )


@dataclass(frozen=True, slots=True)
class Halves:
    """What comes of a new password: `stored` in the database, `vault_key` (32 bytes) nowhere."""

    stored: str
    vault_key: bytes

    def __repr__(self) -> str:
        return "Halves(…)"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a password is right. `vault_key` is None if it was hashed before there was a vault."""

    vault_key: bytes | None

    def __repr__(self) -> str:
        return "Proof(…)"


async def hash_password(password: str) -> Halves:
    """Return both halves of a new hash: salt, parameters and login half in one text.

    Raises: InvalidInput if it is too long; TooBusy if too many wait for a hash.
    """
    key = normalised(password)
    return await _in_turn(lambda: _hash(key))


async def verify(password: str, stored: str | None) -> Proof | None:
    """Return the proof if this is the password that `stored` was made of, else None.

    Without `stored` (no owner yet) it takes as long, and is None.

    Raises: InvalidInput if it is too long; TooBusy if too many wait for a hash.
    """
    key = normalised(password)
    return await _in_turn(lambda: _verify(key, stored))


def needs_rehash(stored: str) -> bool:
    """True if `stored` was made in another way than a new hash would be."""
    return not stored.startswith(_PARAMETERS)


def _hash(key: bytes) -> Halves:
    salt = os.urandom(SALT_BYTES)
    login, vault_key = _halves(_kdf(salt, MEMORY_KIB, ITERATIONS, LANES).derive(key))
    stored = f"{_PARAMETERS}{_text(salt)}${_text(login)}"
    return Halves(stored, vault_key)


def _verify(key: bytes, stored: str | None) -> Proof | None:
    try:
        return _compared(key, stored or "")
    except ValueError:  # nothing that we stored: as slow as if it were
        _hash(key)
        return None


def _compared(key: bytes, stored: str) -> Proof | None:
    """Return the proof if they fit. Raises: ValueError if `stored` is not a hash of ours."""
    whole = _STORED_WHOLE.fullmatch(stored)
    match = whole or _STORED.fullmatch(stored)
    if match is None or int(match[1]) > _MAX_STORED_KIB:
        raise ValueError("not a hash of ours")
    if whole:
        try:
            Argon2id.verify_phc_encoded(key, stored)
        except InvalidKey:
            return None
        return Proof(None)
    salt, expected = base64.b64decode(match[4]), base64.b64decode(match[5])
    memory, iterations, lanes = int(match[1]), int(match[2]), int(match[3])
    login, vault_key = _halves(_kdf(salt, memory, iterations, lanes).derive(key))
    return Proof(vault_key) if hmac.compare_digest(login, expected) else None


def _kdf(salt: bytes, memory_kib: int, iterations: int, lanes: int) -> Argon2id:
    return Argon2id(
        salt=salt, length=HASH_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib
    )


def _halves(slow: bytes) -> tuple[bytes, bytes]:
    """Return what is stored for the login, and what opens the vault."""

    def half(info: bytes) -> bytes:
        return HKDFExpand(hashes.SHA256(), HASH_BYTES, info).derive(slow)

    return half(b"microfedi login"), half(b"microfedi vault password")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def _in_turn(work: Callable[[], T]) -> T:
    """Run `work` when its turn comes; whoever is cancelled before leaves the queue.

    The 64 MiB come from the system for each hash and go back with it: the C library maps pieces of
    that size instead of keeping them.
    """
    if not _waiting.acquire(blocking=False):
        raise TooBusy(
            "Too many logins are being tried just now. Please wait a few seconds.",
            retry_after_s=RETRY_AFTER_S,
        )
    future: Future[T] = _thread.submit(work)
    future.add_done_callback(lambda _: _waiting.release())
    return await asyncio.wrap_future(future)
