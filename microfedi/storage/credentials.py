"""What the owner proves themselves with: password, second factor, recovery codes.

The TOTP secret is sealed, bound to the column it stands in, and hashes of recovery codes are kept
under the server key: who can write the database alone lets nobody in by them.
"""

from collections.abc import Sequence

from microfedi.storage.database import Reader, Transaction

_TOTP_SECRET = "owner.totp_secret_sealed"  # noqa: S105 - the name of a column


def password_hash(reader: Reader) -> str | None:
    """Return the stored password hash; None before setup."""
    found: str | None = reader.value("SELECT password_hash FROM owner")
    return found


def set_password_hash(tx: Transaction, stored: str) -> None:
    """Replace the password hash."""
    tx.run("UPDATE owner SET password_hash = :stored", {"stored": stored})


def totp_secret(reader: Reader) -> str | None:
    """Return the TOTP secret in Base32; None before setup."""
    sealed: bytes | None = reader.value("SELECT totp_secret_sealed FROM owner")
    if sealed is None:
        return None
    return reader.sealer.open("owner", sealed, bound_to=_TOTP_SECRET).decode()


def use_totp_step(tx: Transaction, step: int) -> bool:
    """Use up a time step; False if it, or a later one, has been used before.

    One statement, so that of two equal codes at the same moment one is refused.

    Source: RFC 6238 5.2.
    """
    changed = tx.run(
        "UPDATE owner SET totp_last_step = :step WHERE totp_last_step < :step", {"step": step}
    )
    return changed == 1


def set_totp(tx: Transaction, secret: str, step: int) -> None:
    """Replace the TOTP secret; `step` is that of the code that confirmed it, now used."""
    tx.run(
        "UPDATE owner SET totp_secret_sealed = :sealed, totp_last_step = :step",
        {"sealed": sealed_totp(tx, secret), "step": step},
    )


def use_recovery_code(tx: Transaction, code_hash: bytes) -> bool:
    """Use up a recovery code; False if there is none with this hash (any more)."""
    changed = tx.run(
        "DELETE FROM recovery_codes WHERE code_hash = :hash", {"hash": _kept(tx, code_hash)}
    )
    return changed == 1


def recovery_codes_left(reader: Reader) -> int:
    """Return how many recovery codes have not been used."""
    left: int = reader.value("SELECT count(*) FROM recovery_codes")
    return left


def replace_recovery_codes(tx: Transaction, hashes: Sequence[bytes]) -> None:
    """Make these the recovery codes, and those before worthless."""
    tx.run("DELETE FROM recovery_codes")
    tx.run_many(
        "INSERT INTO recovery_codes (code_hash) VALUES (:hash)",
        [{"hash": _kept(tx, one)} for one in hashes],
    )


def renew_recovery_codes(tx: Transaction) -> None:
    """Keep the codes of an older database, which are hashes alone, as they are kept now."""
    rows = tx.all("SELECT code_hash FROM recovery_codes")
    replace_recovery_codes(tx, [row["code_hash"] for row in rows])


def sealed_totp(reader: Reader, secret: str) -> bytes:
    """Return a TOTP secret as it is kept."""
    return reader.sealer.seal("owner", secret.encode(), bound_to=_TOTP_SECRET)


def _kept(reader: Reader, code_hash: bytes) -> bytes:
    return reader.sealer.lookup_key("recovery code", code_hash.hex())
