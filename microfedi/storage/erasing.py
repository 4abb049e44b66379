"""The end of an account: everything of the owner's and others' goes, a gravestone stays.

The gravestone is the owner's row with their handle, and their keys as long as something is signed.
"""

from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import alerts, search_index
from microfedi.storage.database import Reader, Transaction

# What the last words need to get out, and what says that there was somebody.
_STAYS = ("instance", "owner", "actors", "hosts", "outgoing", "deliveries", "jobs", "alerts")


def begin(tx: Transaction, now: datetime) -> None:
    """Make the account one that is deleted, log everybody out, and take back what waits."""
    tx.run("UPDATE owner SET deleted_at = :now", {"now": instants.to_text(now)})
    tx.run("DELETE FROM sessions")
    tx.run("DELETE FROM jobs WHERE kind != :kind", {"kind": alerts.JOB})
    tx.run("DELETE FROM deliveries")
    tx.run("DELETE FROM outgoing")


def inboxes(reader: Reader) -> list[str]:
    """Return where everybody is told who was ever met: one inbox per server if it has one."""
    rows = reader.all(
        """
        SELECT DISTINCT coalesce(shared_inbox, inbox) AS inbox
          FROM actors
         WHERE state = 'ok'
           AND id NOT IN (SELECT actor_id FROM owner)
         ORDER BY inbox
        """
    )
    return [row["inbox"] for row in rows]


def contents(tx: Transaction) -> None:
    """Delete every row but the gravestone and what is on its way; may be done again."""
    # The tables in which SQLite keeps an index of words (search_posts_data ...) are its own.
    names = tx.all("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    for row in names:
        if row["name"] not in _STAYS and not row["name"].startswith("sqlite_"):
            tx.run(f'DELETE FROM "{row["name"]}"')  # noqa: S608 - a name of our own schema
    tx.run("DELETE FROM actors WHERE id NOT IN (SELECT actor_id FROM owner)")
    tx.run(
        """
        UPDATE actors
           SET name = '', summary = '', icon_url = NULL, icon_alt = '', image_url = NULL,
               fields = '[]', emojis = '{}', also_known_as = '[]', moved_to = NULL,
               discoverable = 0, indexable = 0
        """
    )
    tx.run(
        """
        UPDATE owner
           SET bio = '', password_hash = '', totp_secret_sealed = x'', attribution_domains = '[]',
               old_rsa_key_sealed = NULL, old_ed25519_key_sealed = NULL, passkey_user = NULL
        """
    )
    tx.run("UPDATE instance SET door_log_end = NULL")
    search_index.clear(tx)  # last: what was deleted above was put down there, to be taken out later


def is_told(reader: Reader) -> bool:
    """True if nothing is on its way any more."""
    return reader.value("SELECT 1 FROM deliveries LIMIT 1") is None


def finish(tx: Transaction, now: datetime) -> None:
    """Give up what could not be delivered: the keys are not shown any more from now on."""
    tx.run("DELETE FROM deliveries")
    tx.run("DELETE FROM outgoing")
    tx.run("DELETE FROM hosts")
    tx.run("DELETE FROM alerts")
    tx.run("UPDATE owner SET erased_at = :now", {"now": instants.to_text(now)})
