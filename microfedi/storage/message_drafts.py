"""What the owner has typed and not sent yet: a draft in each conversation, and that of a new one.

Sealed whole, as the messages are.
"""

import json
from dataclasses import asdict, dataclass, field

from microfedi.storage import private
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.vault import Unopenable

PURPOSE = "message draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is being written. `to` is whom a new conversation is for, as it was typed."""

    source: str = field(default="", repr=False)
    summary: str = field(default="", repr=False)
    to: str = ""

    @property
    def is_empty(self) -> bool:
        """True if there is nothing worth keeping."""
        return not (self.source.strip() or self.summary.strip() or self.to.strip())


def put(tx: Transaction, conversation_id: int | None, draft: Draft) -> None:
    """Keep what has been typed so far; an empty draft is none. None is the new conversation."""
    remove(tx, conversation_id)
    if draft.is_empty:
        return
    tx.run(
        """
        INSERT INTO message_drafts (conversation_id, body_sealed)
        SELECT :id, :body
         WHERE :id IS NULL
            OR EXISTS (SELECT 1 FROM conversations WHERE id = :id)
        """,
        {
            "id": conversation_id,
            "body": private.seal(
                tx, PURPOSE, json.dumps(asdict(draft)).encode(), bound_to=str(conversation_id)
            ),
        },
    )


def get(reader: Reader, conversation_id: int | None) -> Draft:
    """Return what has been typed so far, an empty draft if nothing."""
    sealed = reader.value(
        "SELECT body_sealed FROM message_drafts WHERE conversation_id IS :id",
        {"id": conversation_id},
    )
    if sealed is None:
        return Draft()
    try:
        plain = private.open(reader, PURPOSE, sealed, bound_to=str(conversation_id))
    except Unopenable:
        return Draft()
    return Draft(**json.loads(plain))


def remove(tx: Transaction, conversation_id: int | None) -> None:
    """Forget what was typed: it was sent, or is not wanted any more."""
    tx.run("DELETE FROM message_drafts WHERE conversation_id IS :id", {"id": conversation_id})


def waiting(reader: Reader) -> set[int | None]:
    """Return in which conversations something waits to be sent; None is the new one."""
    return {
        row["conversation_id"] for row in reader.all("SELECT conversation_id FROM message_drafts")
    }
