"""The keys that actors list in their documents: whoever signs with one speaks for them."""

from microfedi.protocol import uris, vocab
from microfedi.storage.database import Reader, Transaction

MAX_KEYS = 8  # of one actor; who rotates has two, with Ed25519 four


def of(reader: Reader, actor_id: int) -> list[vocab.PublicKey]:
    """Return the keys that an actor's document listed."""
    rows = reader.all(
        """
        SELECT actor_keys.uri, actors.uri AS owner_uri, kind, pem
          FROM actor_keys
          JOIN actors ON actors.id = actor_keys.actor_id
         WHERE actor_id = :actor_id
         ORDER BY actor_keys.uri
        """,
        {"actor_id": actor_id},
    )
    return [vocab.PublicKey(**row) for row in rows]


def by_uri(reader: Reader, key_uri: str) -> tuple[vocab.PublicKey, int] | None:
    """Return the key with this id and the row id of the actor whose document listed it."""
    row = reader.one(
        """
        SELECT actor_keys.uri, actors.uri AS owner_uri, kind, pem, actor_id
          FROM actor_keys
          JOIN actors ON actors.id = actor_keys.actor_id
         WHERE actor_keys.uri = :uri
        """,
        {"uri": key_uri},
    )
    if row is None:
        return None
    public_key = vocab.PublicKey(row["uri"], row["owner_uri"], row["kind"], row["pem"])
    return public_key, row["actor_id"]


def keep(tx: Transaction, actor_id: int, actor: vocab.Actor) -> None:
    """Replace the keys of an actor. A key of somebody else's, or elsewhere, is not theirs to list.

    Whoever could place the key id of a stranger here would speak for the stranger (or lock them
    out), so an id that another actor already has stays with that actor.
    """
    tx.run("DELETE FROM actor_keys WHERE actor_id = :id", {"id": actor_id})
    theirs = [
        key
        for key in actor.keys
        if key.owner_uri == actor.uri and uris.same_origin(key.uri, actor.uri)
    ]
    tx.run_many(
        """
        INSERT INTO actor_keys (uri, actor_id, kind, pem)
        VALUES (:uri, :actor_id, :kind, :pem)
        ON CONFLICT (uri) DO NOTHING
        """,
        [
            {"uri": key.uri, "actor_id": actor_id, "kind": key.kind, "pem": key.pem}
            for key in theirs[:MAX_KEYS]
        ],
    )
