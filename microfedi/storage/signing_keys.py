"""The keys that sign for the owner and for the server, and the pair before.

Each is sealed, bound to the column of the key in use.
"""

from datetime import datetime

from microfedi.protocol import instants
from microfedi.protocol.keys import SigningKey
from microfedi.storage.database import Reader, Transaction

INSTANCE = "instance.rsa_key_sealed"
RSA = "owner.rsa_key_sealed"
ED25519 = "owner.ed25519_key_sealed"


def sealed(reader: Reader, pem: str, column: str) -> bytes:
    """Return a private key as it is kept in `column`."""
    return reader.sealer.seal("owner", pem.encode(), bound_to=column)


def opened(reader: Reader, uri: str, kept: bytes, column: str) -> SigningKey:
    """Return the key with the id `uri` that was kept in `column`."""
    return SigningKey(uri, reader.sealer.open("owner", kept, bound_to=column).decode())


def replace(tx: Transaction, *, rsa_pem: str, ed25519_pem: str, now: datetime) -> bool:
    """Replace the keys and keep those before beside them; False if there are such already.

    What is sealed is bound to the column of the key in use: the former pair moves as it is.
    """
    changed = tx.run(
        """
        UPDATE owner
           SET old_rsa_key_sealed = rsa_key_sealed,
               old_ed25519_key_sealed = ed25519_key_sealed,
               rsa_key_sealed = :rsa_key_sealed,
               ed25519_key_sealed = :ed25519_key_sealed,
               key_number = key_number + 1,
               keys_changed_at = :now
         WHERE old_rsa_key_sealed IS NULL
        """,
        {
            "rsa_key_sealed": sealed(tx, rsa_pem, RSA),
            "ed25519_key_sealed": sealed(tx, ed25519_pem, ED25519),
            "now": instants.to_text(now),
        },
    )
    return changed == 1


def changed_at(reader: Reader) -> datetime | None:
    """Return when the keys were replaced last; None if never."""
    found: str | None = reader.value("SELECT keys_changed_at FROM owner")
    return None if found is None else instants.from_text(found)


def forget_old(tx: Transaction) -> None:
    """Delete the former pair of keys."""
    tx.run("UPDATE owner SET old_rsa_key_sealed = NULL, old_ed25519_key_sealed = NULL")
