"""What only the owner reads: sealed by the message vault, opened in a session that has it open.

A database from before the vault has none until its owner's next login; what comes until then is
sealed under the server key, as everything was, and is sealed anew afterwards.
"""

from microfedi.errors import Locked
from microfedi.storage import vault_keys
from microfedi.storage.database import Reader, Transaction

VAULT = b"\x02"  # with which a value of the vault begins (storage/vault.py)


def seal(tx: Transaction, purpose: str, plain: bytes, *, bound_to: str, within: str = "") -> bytes:
    """Return `plain` sealed for `purpose`, bound to its row and, in the vault, to its conversation
    (`within`), too.
    """
    key = vault_keys.current(tx)
    if key is None:
        return tx.sealer.seal(purpose, plain, bound_to=bound_to)
    return key.seal(purpose, plain, bound_to=_place(tx, purpose, f"{bound_to} {within}"))


def open(reader: Reader, purpose: str, sealed: bytes, *, bound_to: str, within: str = "") -> bytes:
    """Return what was sealed for the same purpose and place.

    Raises: Locked if the vault is not open; Unopenable if it was sealed by one that is lost, or
        changed since; ValueError if that happened to what the server key sealed.
    """
    if sealed[:1] != VAULT:
        return reader.sealer.open(purpose, sealed, bound_to=bound_to)
    if reader.vault is None:
        raise Locked("the message vault is not open")
    place = _place(reader, purpose, f"{bound_to} {within}")
    return reader.vault.open(purpose, sealed, bound_to=place)


def _place(reader: Reader, purpose: str, place: str) -> str:
    """Return what a value is bound to: a place, and that this server put it there.

    Anybody can seal by the public half. Without the server key they cannot say where it belongs.
    """
    return f"{place} {reader.sealer.lookup_key(f'vault {purpose}', place).hex()}"
