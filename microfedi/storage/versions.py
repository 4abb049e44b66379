"""Earlier versions of posts: what was said before an edit, as it was kept, sealed if it was."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import bodies
from microfedi.storage.database import Reader, Transaction

MAX_VERSIONS = 50  # of one post; what is older goes, so that edits cannot fill the disk


@dataclass(frozen=True, slots=True)
class Version:
    """What a post said from `written_at` until its next edit."""

    written_at: datetime
    name: str
    summary: str
    html: SafeHtml
    sensitive: bool
    attachments: tuple[vocab.Attachment, ...]
    poll: vocab.Poll | None
    emojis: dict[str, str]


def keep(tx: Transaction, note_id: int, body: bytes, written_at: datetime) -> None:
    """Keep the body of a note as it is, before another takes its place."""
    tx.run(
        "INSERT INTO note_versions (note_id, written_at, body) VALUES (:note_id, :at, :body)",
        {"note_id": note_id, "at": instants.to_text(written_at), "body": body},
    )
    tx.run(
        """
        DELETE FROM note_versions
         WHERE note_id = :note_id
           AND id <= (SELECT id FROM note_versions
                       WHERE note_id = :note_id
                       ORDER BY id DESC
                       LIMIT 1 OFFSET :most)
        """,
        {"note_id": note_id, "most": MAX_VERSIONS},
    )


def of_note(reader: Reader, note_id: int, visibility: Visibility) -> list[Version]:
    """Return the earlier versions of a note, the oldest first; `visibility` is the note's."""
    rows = reader.all(
        "SELECT written_at, body FROM note_versions WHERE note_id = :id ORDER BY id",
        {"id": note_id},
    )
    found = []
    for row in rows:
        plain = row["body"]
        if not visibility.is_open:
            plain = reader.sealer.open("note", plain, bound_to=str(note_id))
        body = bodies.from_bytes(plain)
        found.append(
            Version(
                written_at=instants.from_text(row["written_at"]),
                name=body.get("name", ""),
                summary=body.get("summary", ""),
                html=bodies.html(body),
                sensitive=body.get("sensitive", False),
                attachments=bodies.attachments(body),
                poll=bodies.poll(body),
                emojis=body.get("emojis", {}),
            )
        )
    return found
