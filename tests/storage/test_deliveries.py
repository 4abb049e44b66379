"""The queue of what is sent: order, what steps aside, hosts that fail, crashes, receipts."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from microfedi.protocol import backoff, render
from microfedi.protocol.vocab import Activity, Follow
from microfedi.storage import deliveries, hosts, outgoing, receipts
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.deliveries import Delivery
from microfedi.storage.receipts import Receipt
from tests.factories import NOON

LEASE = timedelta(minutes=2)
OWNER = "https://us.example/users/owner"
A_INBOX = "https://a.example/inbox"
B_INBOX = "https://b.example/inbox"


def follow(number: int) -> Activity:
    uri = f"{OWNER}/follows/{number}"
    return Follow(uri=uri, actor_uri=OWNER, object_uri="https://a.example/users/ann")


def put(
    tx: Transaction,
    number: int,
    *inboxes: str,
    about: str | None = None,
    note_id: int | None = None,
    now: datetime = NOON,
) -> int:
    return outgoing.enqueue(
        tx,
        render.dumps(render.activity(follow(number))),
        inboxes=inboxes or [A_INBOX],
        about=about or f"object {number}",
        note_id=note_id,
        now=now,
    )


def claim(tx: Transaction, now: datetime = NOON, *, slow: bool = False) -> list[Delivery]:
    return deliveries.claim_due(tx, now=now, lease=LEASE, limit=10, slow=slow)


def one(tx: Transaction, now: datetime = NOON) -> tuple[Delivery, int]:
    """Claim the one delivery that is due, with the number of its activity."""
    [delivery] = claim(tx, now)
    return delivery, number_of(delivery)


def number_of(delivery: Delivery) -> int:
    return int(delivery.body.split(b"/follows/")[1].split(b'"')[0])


def rows(reader: Reader, table: str) -> int:
    counts = {
        "deliveries": "SELECT count(*) FROM deliveries",
        "outgoing": "SELECT count(*) FROM outgoing",
    }
    found: int = reader.value(counts[table])
    return found


async def test_one_body_is_kept_and_one_row_for_each_distinct_inbox(db: Database) -> None:
    count = await db.write(lambda tx: put(tx, 1, A_INBOX, B_INBOX, A_INBOX))

    assert count == 2
    assert await db.read(lambda reader: rows(reader, "outgoing")) == 1
    assert await db.read(lambda reader: rows(reader, "deliveries")) == 2


async def test_what_waits_is_not_readable_on_disk(db: Database) -> None:
    await db.write(lambda tx: put(tx, 1))

    sealed = await db.read(lambda reader: reader.value("SELECT body_sealed FROM outgoing"))

    assert b"Follow" not in sealed


async def test_nothing_is_sent_to_ourselves_to_blocked_servers_or_to_what_is_no_uri(
    db: Database,
) -> None:
    def change(tx: Transaction) -> int:
        tx.run(
            "INSERT INTO instance (id, base_url, handle_domain, rsa_key_sealed, created_at)"
            " VALUES (1, 'https://us.example', 'us.example', x'', '')"
        )
        tx.run("INSERT INTO blocked_hosts (host, created_at) VALUES ('bad.example', '')")
        return put(
            tx,
            1,
            "https://us.example/inbox",
            "https://bad.example/inbox",
            "https://sub.bad.example/inbox",
            "nonsense",
            A_INBOX,
        )

    assert await db.write(change) == 1
    [delivery] = await db.write(claim)
    assert delivery.inbox == A_INBOX


async def test_a_host_gets_one_at_a_time_in_order(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        for number in (1, 2, 3):
            put(tx, number)
        seen = []
        for _ in range(3):
            delivery, number = one(tx)
            assert claim(tx) == []  # it is busy
            deliveries.delivered(tx, delivery, is_slow=False, now=NOON)
            seen.append(number)
        assert claim(tx) == []
        assert deliveries.next_due(tx) is None
        return seen

    assert await db.write(change) == [1, 2, 3]
    assert await db.read(lambda reader: rows(reader, "outgoing")) == 0


async def test_hosts_are_served_beside_each_other_and_share_the_body(db: Database) -> None:
    def change(tx: Transaction) -> list[Delivery]:
        put(tx, 1, A_INBOX, B_INBOX)
        return claim(tx)

    claimed = await db.write(change)

    assert {delivery.inbox for delivery in claimed} == {A_INBOX, B_INBOX}
    assert claimed[0].body is claimed[1].body


async def test_after_a_crash_a_delivery_is_due_again_when_its_lease_runs_out(db: Database) -> None:
    def change(tx: Transaction) -> int:
        put(tx, 1)
        one(tx)  # and the process dies
        assert claim(tx, NOON + LEASE - timedelta(seconds=1)) == []
        return one(tx, NOON + LEASE)[1]

    assert await db.write(change) == 1


async def test_a_new_process_takes_up_at_once_what_the_old_one_was_busy_with(db: Database) -> None:
    def change(tx: Transaction) -> int:
        put(tx, 1)
        one(tx)
        deliveries.release_leases(tx, now=NOON)
        return one(tx)[1]

    assert await db.write(change) == 1


async def test_what_is_added_while_a_host_is_busy_or_resting_does_not_disturb_it(
    db: Database,
) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1)
        delivery, _ = one(tx)
        put(tx, 2)
        assert claim(tx) == []
        deliveries.host_failed(tx, delivery, is_slow=False, now=NOON, chance=0.5)
        put(tx, 3)
        assert claim(tx, NOON + timedelta(seconds=59)) == []
        assert one(tx, NOON + timedelta(seconds=60))[1] == 1

    await db.write(change)


async def test_a_host_that_is_down_rests_longer_each_time(db: Database) -> None:
    def change(tx: Transaction) -> list[float]:
        put(tx, 1)
        now, waits = NOON, []
        for _ in range(4):
            delivery, _ = one(tx, now)
            assert deliveries.host_failed(tx, delivery, is_slow=False, now=now, chance=0.5)
            due = deliveries.next_due(tx)
            assert due is not None
            waits.append((due - now).total_seconds() / 60)
            now = due
        return waits

    assert await db.write(change) == [1, 5, 30, 120]


async def test_a_host_that_is_down_costs_one_row_whatever_waits_for_it(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        for number in range(50):
            put(tx, number)
        delivery, _ = one(tx)
        deliveries.host_failed(tx, delivery, is_slow=False, now=NOON, chance=0.5)
        return [len(claim(tx)), len(claim(tx, NOON + timedelta(minutes=1)))]

    assert await db.write(change) == [0, 1]


async def test_retry_after_is_waited_for(db: Database) -> None:
    def change(tx: Transaction) -> datetime | None:
        put(tx, 1)
        delivery, _ = one(tx)
        deliveries.host_failed(
            tx, delivery, is_slow=False, retry_after=timedelta(hours=3), now=NOON, chance=0.5
        )
        return deliveries.next_due(tx)

    assert await db.write(change) == NOON + timedelta(hours=3)


async def test_a_host_that_failed_for_a_week_is_given_up_and_tried_anew_later(
    db: Database,
) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1, note_id=7)
        put(tx, 2)
        now, tries = NOON, 0
        while claimed := claim(tx, now):
            tries += 1
            if not deliveries.host_failed(tx, claimed[0], is_slow=False, now=now, chance=0.5):
                break
            now = deliveries.next_due(tx) or now
        assert now - NOON >= backoff.GIVE_UP_AFTER
        assert tries <= 12
        assert receipts.of_note(tx, 7) == Receipt(total=1, pending=0, dropped=1)
        assert rows(tx, "deliveries") == 0
        put(tx, 3, now=now)
        assert one(tx, now)[1] == 3

    await db.write(change)


async def test_a_host_that_contacts_us_is_tried_at_once(db: Database) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1)
        delivery, _ = one(tx)
        deliveries.host_failed(tx, delivery, is_slow=False, now=NOON, chance=0.5)
        assert claim(tx) == []
        assert hosts.seen_alive(tx, "a.example", NOON)
        assert one(tx)[1] == 1
        assert not hosts.seen_alive(tx, "a.example", NOON)  # it is not failing
        assert not hosts.seen_alive(tx, "stranger.example", NOON)

    await db.write(change)


async def test_a_failure_of_before_the_host_woke_does_not_put_it_to_sleep_for_days(
    db: Database,
) -> None:
    def change(tx: Transaction) -> datetime | None:
        put(tx, 1)
        now = NOON
        for _ in range(6):
            deliveries.host_failed(tx, one(tx, now)[0], is_slow=False, now=now, chance=0.5)
            now = deliveries.next_due(tx) or now
        delivery, _ = one(tx, now)
        hosts.seen_alive(tx, "a.example", now)
        deliveries.host_failed(tx, delivery, is_slow=False, now=now, chance=0.5)
        due = deliveries.next_due(tx)
        assert due is not None
        return NOON + (due - now)

    assert await db.write(change) == NOON + timedelta(minutes=1)


async def test_what_is_refused_alone_holds_up_only_what_is_about_the_same_object(
    db: Database,
) -> None:
    def change(tx: Transaction) -> list[int]:
        put(tx, 1, about="post")
        put(tx, 2, about="another")
        put(tx, 3, about="post")
        delivery, number = one(tx)
        assert number == 1
        assert deliveries.refused(tx, delivery, is_slow=False, now=NOON, chance=0.5)
        put(tx, 4, about="post")
        put(tx, 5, about="a third")
        seen = []
        while claimed := claim(tx):
            seen.append(number_of(claimed[0]))
            deliveries.delivered(tx, claimed[0], is_slow=False, now=NOON)
        later = NOON + timedelta(minutes=1)
        assert deliveries.next_due(tx) == later
        while claimed := claim(tx, later):
            seen.append(number_of(claimed[0]))
            deliveries.delivered(tx, claimed[0], is_slow=False, now=later)
        return seen

    assert await db.write(change) == [2, 5, 1, 3, 4]


async def test_what_is_refused_again_and_again_is_dropped_and_lets_the_later_ones_go(
    db: Database,
) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1, about="post", note_id=7)
        put(tx, 2, about="post")
        now = NOON
        for attempt in range(1, deliveries.MAX_REFUSALS + 1):
            delivery, number = one(tx, now)
            assert number == 1
            kept = deliveries.refused(tx, delivery, is_slow=False, now=now, chance=0.5)
            assert kept is (attempt < deliveries.MAX_REFUSALS)
            now = deliveries.next_due(tx) or now
        assert one(tx, now)[1] == 2
        assert receipts.of_note(tx, 7) == Receipt(total=1, pending=0, dropped=1)

    await db.write(change)


async def test_an_activity_that_a_host_stumbles_over_lets_the_others_pass_after_a_rest(
    db: Database,
) -> None:
    def change(tx: Transaction) -> list[int]:
        put(tx, 1)
        put(tx, 2)
        put(tx, 3)
        deliveries.stumbled(tx, one(tx)[0], is_slow=False, now=NOON, chance=0.5)
        assert claim(tx) == []
        later = NOON + timedelta(minutes=1)
        seen = []
        while claimed := claim(tx, later):
            seen.append(number_of(claimed[0]))
            deliveries.delivered(tx, claimed[0], is_slow=False, now=later)
        return seen

    assert await db.write(change) == [2, 1, 3]


async def test_after_an_outage_what_stepped_aside_meanwhile_goes_on_at_once(
    db: Database,
) -> None:
    def change(tx: Transaction) -> list[int]:
        now = NOON
        for number in range(1, 5):
            put(tx, number)
        for _ in range(5):  # it answers 500 to everything, for hours
            deliveries.stumbled(tx, claim(tx, now)[0], is_slow=False, now=now, chance=0.5)
            now = deliveries.next_due(tx) or now
        seen = []
        while claimed := claim(tx, now):
            seen.append(number_of(claimed[0]))
            deliveries.delivered(tx, claimed[0], is_slow=False, now=now)
        return sorted(seen)

    assert await db.write(change) == [1, 2, 3, 4]
    assert await db.read(lambda reader: rows(reader, "deliveries")) == 0


async def test_an_outage_with_answers_drops_nothing_before_its_time(db: Database) -> None:
    def change(tx: Transaction) -> timedelta:
        put(tx, 1)
        now = NOON
        while deliveries.stumbled(tx, one(tx, now)[0], is_slow=False, now=now, chance=0.5):
            now = deliveries.next_due(tx) or now
        return now - NOON

    assert timedelta(days=3) < await db.write(change) < timedelta(days=7)


async def test_a_410_forgets_the_inbox_and_names_the_followers_behind_it(db: Database) -> None:
    other = "https://a.example/users/ann/inbox"

    def change(tx: Transaction) -> None:
        for number, name in ((1, "ann"), (2, "bob")):
            tx.run(
                """
                INSERT INTO actors (id, uri, host, username, type, name, summary, inbox,
                                    shared_inbox, fetched_at)
                VALUES (:id, :uri, 'a.example', :name, 'Person', '', '', :inbox, :shared, '')
                """,
                {
                    "id": number,
                    "uri": f"https://a.example/users/{name}",
                    "name": name,
                    "inbox": f"https://a.example/users/{name}/inbox",
                    "shared": A_INBOX,
                },
            )
        tx.run(
            "INSERT INTO followers (actor_id, follow_uri, state, created_at)"
            " VALUES (1, 'x', 'accepted', '')"
        )
        put(tx, 1)
        put(tx, 2)
        put(tx, 3, other)
        delivery, _ = one(tx)
        behind = deliveries.gone(tx, delivery, is_slow=False, now=NOON)
        assert behind == ["https://a.example/users/ann"]
        assert one(tx)[0].inbox == other
        assert rows(tx, "deliveries") == 1

    await db.write(change)


async def test_a_slow_host_goes_on_among_the_slow_ones_until_it_is_prompt_again(
    db: Database,
) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1)
        put(tx, 2)
        delivery, _ = one(tx)
        deliveries.too_slow(tx, delivery, now=NOON)
        assert claim(tx) == []
        assert deliveries.next_due(tx) == NOON
        [delivery] = claim(tx, slow=True)
        assert number_of(delivery) == 1
        deliveries.delivered(tx, delivery, is_slow=False, now=NOON)
        assert one(tx)[1] == 2

    await db.write(change)


async def test_a_receipt_counts_what_has_arrived(db: Database) -> None:
    def change(tx: Transaction) -> Receipt:
        put(tx, 1, A_INBOX, B_INBOX, note_id=7)
        deliveries.delivered(tx, claim(tx)[0], is_slow=False, now=NOON)
        return receipts.of_note(tx, 7)

    assert await db.write(change) == Receipt(total=2, pending=1, dropped=0)
    assert await db.read(lambda reader: receipts.of_note(reader, 8)) == Receipt(0, 0, 0)


async def test_when_all_have_it_only_the_receipt_is_kept_until_it_is_pruned(db: Database) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1, note_id=7)
        deliveries.delivered(tx, one(tx)[0], is_slow=False, now=NOON)
        assert tx.value("SELECT body_sealed FROM outgoing") is None
        assert receipts.of_note(tx, 7) == Receipt(1, 0, 0)
        assert outgoing.prune(tx, NOON) == 0
        assert outgoing.prune(tx, NOON + timedelta(days=1)) == 1

    await db.write(change)


@pytest.mark.parametrize(
    "report",
    [
        lambda tx, delivery: deliveries.delivered(tx, delivery, is_slow=False, now=NOON),
        lambda tx, delivery: deliveries.refused(tx, delivery, is_slow=False, now=NOON, chance=0.5),
        lambda tx, delivery: deliveries.stumbled(tx, delivery, is_slow=False, now=NOON, chance=0.5),
        lambda tx, delivery: deliveries.host_failed(
            tx, delivery, is_slow=False, now=NOON, chance=0.5
        ),
        lambda tx, delivery: deliveries.gone(tx, delivery, is_slow=False, now=NOON),
        lambda tx, delivery: deliveries.too_slow(tx, delivery, now=NOON),
        lambda tx, delivery: deliveries.interrupted(tx, delivery, now=NOON),
    ],
)
async def test_a_result_that_is_reported_for_what_is_gone_already_harms_nothing(
    db: Database, report: Callable[[Transaction, Delivery], object]
) -> None:
    def change(tx: Transaction) -> None:
        put(tx, 1)
        delivery, _ = one(tx)
        deliveries.drop_host(tx, delivery.host.id, problem="blocked", now=NOON)
        report(tx, delivery)
        assert deliveries.next_due(tx) is None
        assert rows(tx, "deliveries") == rows(tx, "outgoing") == 0

    await db.write(change)
