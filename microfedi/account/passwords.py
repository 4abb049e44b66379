"""The owner's password: what is accepted, and its slow hash (Argon2id).

A hash takes 64 MiB and a good part of a second, so on a small machine hashing is itself a way to
keep it busy: one at a time, in a thread of its own, behind a queue that is soon full.
"""

import asyncio
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

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

_PARAMETERS = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}$"
# Stored with other parameters: by an older version, or brought along. Bounded, as the hash of a
# damaged file must not ask for all the memory there is.
_STORED = re.compile(r"\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=[1-4]\$[^$]+\$[^$]+")
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
        raise InvalidInput("password", f"A password has at most {MAX_CHARS} characters.")
    text = unicodedata.normalize("NFC", password)
    if len(text) > MAX_CHARS:
        raise InvalidInput("password", f"A password has at most {MAX_CHARS} characters.")
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
        raise InvalidInput("password", f"A password needs at least {MIN_CHARS} characters.")
    if weak.is_weak(text, own_words=own_words):
        raise InvalidInput(
            "password",
            "That would be guessed soon. Take several words that do not belong together, or let "
            "a password manager choose.",
        )


async def hash_password(password: str) -> str:
    """Return what is stored of a password: salt, parameters and hash in one text (PHC).

    Raises: InvalidInput if it is too long; TooBusy if too many wait for a hash.
    """
    key = normalised(password)
    return await _in_turn(lambda: _kdf().derive_phc_encoded(key))


async def verify(password: str, stored: str | None) -> bool:
    """True if this is the password that `stored` was made of.

    Without `stored` (no owner yet) it takes as long, and is false.

    Raises: InvalidInput if it is too long; TooBusy if too many wait for a hash.
    """
    key = normalised(password)
    return await _in_turn(lambda: _verify(key, stored))


def needs_rehash(stored: str) -> bool:
    """True if `stored` was made with other parameters than a new hash would be."""
    return not stored.startswith(_PARAMETERS)


def _kdf() -> Argon2id:
    return Argon2id(
        salt=os.urandom(SALT_BYTES),
        length=HASH_BYTES,
        iterations=ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )


def _verify(key: bytes, stored: str | None) -> bool:
    match = _STORED.fullmatch(stored or "")
    if stored is None or match is None or int(match[1]) > _MAX_STORED_KIB:
        _kdf().derive(key)
        return False
    try:
        Argon2id.verify_phc_encoded(key, stored)
    except InvalidKey:
        return False
    return True


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
