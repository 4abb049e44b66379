"""The few hashtags that stand on the owner's profile, in the owner's order."""

from collections.abc import Sequence

from microfedi.storage.database import Reader, Transaction


def all(reader: Reader) -> list[str]:
    """Return them, lower-case without `#`."""
    rows = reader.all("SELECT tag FROM featured_tags ORDER BY position, tag")
    return [row["tag"] for row in rows]


def replace(tx: Transaction, tags: Sequence[str]) -> None:
    """Make these the hashtags of the profile, and no others."""
    tx.run("DELETE FROM featured_tags")
    tx.run_many(
        "INSERT INTO featured_tags (tag, position) VALUES (:tag, :position)",
        [{"tag": tag, "position": index} for index, tag in enumerate(dict.fromkeys(tags))],
    )
