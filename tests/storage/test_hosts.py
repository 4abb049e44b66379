"""What is remembered about other servers."""

from datetime import timedelta

from microfedi.storage import deliveries, hosts
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_deliveries import A_INBOX, claim, put


async def test_a_host_that_shows_rfc_9421_is_signed_to_that_way(db: Database) -> None:
    await db.write(lambda tx: hosts.prefers(tx, "a.example", NOON))

    host = await db.read(lambda reader: hosts.by_name(reader, "a.example"))

    assert host is not None
    assert host.prefers_rfc9421
    assert await db.read(lambda reader: hosts.by_name(reader, "b.example")) is None


async def test_what_a_delivery_taught_outweighs_what_the_host_shows_for_a_while(
    db: Database,
) -> None:
    def change(tx: Transaction) -> list[bool]:
        hosts.prefers(tx, "a.example", NOON)
        put(tx, 1, A_INBOX)
        [delivery] = claim(tx)
        deliveries.delivered(tx, delivery, is_slow=False, prefers_rfc9421=False, now=NOON)
        seen = []
        for later in (timedelta(days=1), timedelta(days=8)):
            hosts.prefers(tx, "a.example", NOON + later)
            host = hosts.by_name(tx, "a.example")
            assert host is not None
            seen.append(host.prefers_rfc9421)
        return seen

    assert await db.write(change) == [False, True]


async def test_hosts_of_which_nothing_is_worth_knowing_are_forgotten(db: Database) -> None:
    def change(tx: Transaction) -> list[str]:
        hosts.id_for(tx, "old.example")
        hosts.prefers(tx, "new.example", NOON)
        put(tx, 1, A_INBOX)
        assert hosts.prune(tx, NOON - timedelta(days=1)) == 1
        return [row["name"] for row in tx.all("SELECT name FROM hosts ORDER BY name")]

    assert await db.write(change) == ["a.example", "new.example"]
