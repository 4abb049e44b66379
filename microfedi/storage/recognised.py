"""Where the owner logged in before: by a cookie that stays in the browser, and by the network.

Only hashes are kept. It decides who is told of a login, and never who gets in.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Transaction

Kind = Literal["browser", "network"]

MAX_EACH = 100  # one person's browsers and networks; the one not seen longest is forgotten

_PURPOSE = "recognised networks"


def swap(tx: Transaction, old: bytes, new: bytes, now: datetime) -> bool:
    """Recognise a browser by the hash of a new cookie; whether it was known by the old one's."""
    is_known = (
        tx.run("DELETE FROM recognised WHERE kind = 'browser' AND mark = :mark", {"mark": old}) == 1
    )
    _keep(tx, "browser", new, now)
    return is_known


def seen(tx: Transaction, network: str, now: datetime) -> bool:
    """Recognise a network from now on; whether it was known before."""
    # There are few networks: without the server's key a hash of one is soon guessed.
    key = tx.sealer.key_for(_PURPOSE)
    mark = hmac.digest(key, network.encode(errors="replace"), hashlib.sha256)
    is_known: bool = bool(
        tx.value(
            "SELECT EXISTS (SELECT 1 FROM recognised WHERE kind = 'network' AND mark = :mark)",
            {"mark": mark},
        )
    )
    _keep(tx, "network", mark, now)
    return is_known


def forget(tx: Transaction) -> None:
    """Recognise nobody any more: whoever logs in next is told of."""
    tx.run("DELETE FROM recognised")


def _keep(tx: Transaction, kind: Kind, mark: bytes, now: datetime) -> None:
    tx.run(
        """
        INSERT INTO recognised (kind, mark, last_at) VALUES (:kind, :mark, :now)
        ON CONFLICT (kind, mark) DO UPDATE SET last_at = excluded.last_at
        """,
        {"kind": kind, "mark": mark, "now": instants.to_text(now)},
    )
    tx.run(
        """
        DELETE FROM recognised
         WHERE kind = :kind
           AND mark NOT IN (SELECT mark FROM recognised
                             WHERE kind = :kind
                             ORDER BY last_at DESC
                             LIMIT :most)
        """,
        {"kind": kind, "most": MAX_EACH},
    )
