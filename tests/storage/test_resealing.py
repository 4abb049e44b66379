"""Messages of a database from before the vault are sealed by it, every copy of them."""

from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import (
    conversations,
    message_drafts,
    message_heads,
    messages,
    resealing,
    vault_keys,
)
from microfedi.storage.database import Database, Transaction
from microfedi.storage.message_drafts import Draft
from tests.factories import NOON
from tests.storage.test_notes import BOB, met


def lived_in(tx: Transaction) -> int:
    """Three messages, one of them edited, and two drafts, all under the server key."""
    bob = met(tx)
    talk = conversations.make(tx, {bob}, state="open")
    for number in range(3):
        note = vocab.Note(
            uri=f"https://b.example/m/{number}",
            attributed_to=BOB,
            content=f"<p>word{number}</p>",
            conversation="tag:b.example,77",
        )
        messages.keep(
            tx,
            note,
            conversation_id=talk,
            actor_id=bob,
            html=SafeHtml(note.content),
            now=NOON,
        )
    (first, *_) = message_heads.ids_of(tx, talk)
    messages.edit(tx, first, note, html=SafeHtml("<p>better</p>"), now=NOON)
    message_drafts.put(tx, talk, Draft("draft words"))
    message_drafts.put(tx, None, Draft("new words", to="@bob@b.example"))
    tx.run("UPDATE messages SET head_sealed = NULL WHERE id = :id", {"id": first})
    return talk


async def test_everything_is_sealed_anew(db: Database) -> None:
    talk = await db.write(lived_in)
    before = await db.read(lambda r: messages.page(r, talk, limit=9))
    assert await db.write(resealing.some) == 0  # there is no vault yet

    opened = await db.write(lambda tx: vault_keys.create(tx, now=NOON))
    counts = []
    while done := await db.write(resealing.some):
        counts.append(done)

    assert counts == [3, 1, 2]
    firsts = await db.read(
        lambda r: [
            row["body_sealed"][:1]
            for table in ("messages", "message_versions", "message_drafts")
            for row in r.all(f"SELECT body_sealed FROM {table}")  # noqa: S608
        ]
    )
    assert firsts == [b"\x02"] * 6
    keys = opened.keys()
    assert await db.read(lambda r: messages.page(r, talk, limit=9), vault=keys) == before
    assert (await db.read(lambda r: message_drafts.get(r, talk), vault=keys)).source == (
        "draft words"
    )
    assert (await db.read(lambda r: message_drafts.get(r, None), vault=keys)).source == "new words"
    head = await db.read(lambda r: message_heads.by_uri(r, "https://b.example/m/0"))
    assert head is not None
    assert head.conversation == "tag:b.example,77"
    (old,) = await db.read(lambda r: messages.versions(r, before[0].id), vault=keys)
    assert "word0" in old.html


async def test_it_goes_on_after_a_break(db: Database) -> None:
    await db.write(lived_in)
    await db.write(lambda tx: vault_keys.create(tx, now=NOON))
    resealing_some = resealing.BATCH
    try:
        resealing.BATCH = 2
        assert await db.write(resealing.some) == 2
        assert await db.write(resealing.some) == 1
    finally:
        resealing.BATCH = resealing_some
    assert await db.write(resealing.some) == 1
    assert await db.write(resealing.some) == 2
    assert await db.write(resealing.some) == 0
