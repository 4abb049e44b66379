"""People who are gone: what of theirs goes with them, and what stays."""

from microfedi.storage.database import Transaction


def forget(tx: Transaction, actor_id: int) -> None:
    """Delete somebody who is gone, with their posts, likes, boosts and follows.

    Messages stay, as letters do, and so does a block or a mute, and what is counted so that nobody
    does it without end: votes, reports, what was passed on. Who comes back is no new person. Then
    what is left of the actor is a row without a profile, marked gone. The owner is never forgotten.
    """
    if tx.value("SELECT 1 FROM owner WHERE actor_id = :id", {"id": actor_id}):
        return
    about = {"id": actor_id}
    _take_back_counts(tx, actor_id)
    for table in (
        "DELETE FROM notes WHERE actor_id = :id",
        "DELETE FROM likes WHERE actor_id = :id",
        "DELETE FROM reactions WHERE actor_id = :id",
        "DELETE FROM announces WHERE actor_id = :id",
        "DELETE FROM pinned WHERE actor_id = :id",
        "DELETE FROM notifications WHERE actor_id = :id",
        "DELETE FROM followers WHERE actor_id = :id",
        "DELETE FROM following WHERE actor_id = :id",
        "DELETE FROM blocked_by WHERE actor_id = :id",
        "DELETE FROM actor_keys WHERE actor_id = :id",
    ):
        tx.run(table, about)
    is_needed = tx.value(
        """
        SELECT EXISTS (SELECT 1 FROM messages WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM conversation_people WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM blocked_actors WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM muted_actors WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM votes WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM forwards WHERE actor_id = :id)
            OR EXISTS (SELECT 1 FROM reports WHERE actor_id = :id)
        """,
        about,
    )
    if not is_needed:
        tx.run("DELETE FROM actors WHERE id = :id", about)
        return
    tx.run(
        """
        UPDATE actors
           SET state = 'gone',
               summary = '',
               icon_url = NULL,
               icon_alt = '',
               image_url = NULL,
               fields = '[]',
               also_known_as = '[]'
         WHERE id = :id
        """,
        about,
    )


def _take_back_counts(tx: Transaction, actor_id: int) -> None:
    """Count without their replies, likes and boosts what others posted."""
    tx.run(
        """
        UPDATE notes
           SET replies = max(0, replies - (SELECT count(*)
                                             FROM notes AS reply
                                            WHERE reply.in_reply_to_id = notes.id
                                              AND reply.actor_id = :id
                                              AND reply.visibility IN ('public', 'unlisted')))
         WHERE id IN (SELECT in_reply_to_id FROM notes WHERE actor_id = :id)
        """,
        {"id": actor_id},
    )
    tx.run(
        """
        UPDATE notes
           SET likes = max(0, likes - 1)
         WHERE id IN (SELECT note_id FROM likes WHERE actor_id = :id)
        """,
        {"id": actor_id},
    )
    tx.run(
        """
        UPDATE notes
           SET announces = max(0, announces - 1)
         WHERE id IN (SELECT note_id FROM announces WHERE actor_id = :id)
        """,
        {"id": actor_id},
    )
