"""Jobs: one for each kind and key, leases, being asked for again meanwhile."""

from datetime import timedelta

from microfedi.storage import jobs
from microfedi.storage.database import Database, Transaction
from microfedi.storage.jobs import Job
from tests.factories import NOON

LEASE = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def claim(tx: Transaction, after: timedelta = timedelta()) -> list[Job]:
    return jobs.claim_due(tx, now=NOON + after, lease=LEASE, limit=10)


async def test_a_job_that_is_asked_for_twice_is_done_once_at_the_earlier_time(
    db: Database,
) -> None:
    def change(tx: Transaction) -> list[tuple[str, str, int]]:
        jobs.add(tx, "refresh", "x", due_at=NOON + HOUR)
        jobs.add(tx, "refresh", "x", due_at=NOON)
        jobs.add(tx, "refresh", "x", due_at=NOON + HOUR)
        return [(job.kind, job.key, job.attempts) for job in claim(tx)]

    assert await db.write(change) == [("refresh", "x", 1)]


async def test_a_job_is_hidden_while_it_is_done_and_due_again_after_a_crash(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        jobs.add(tx, "refresh", "x", due_at=NOON)
        return [len(claim(tx)), len(claim(tx)), *(job.attempts for job in claim(tx, LEASE))]

    assert await db.write(change) == [1, 0, 2]


async def test_a_job_that_is_asked_for_while_it_is_done_is_done_again(db: Database) -> None:
    def change(tx: Transaction) -> None:
        jobs.add(tx, "refresh", "x", due_at=NOON)
        [job] = claim(tx)
        jobs.add(tx, "refresh", "x", due_at=NOON + timedelta(minutes=1))
        jobs.done(tx, job)
        [job] = claim(tx, timedelta(minutes=1))
        assert job.attempts == 1
        jobs.done(tx, job)
        assert jobs.next_due(tx) is None

    await db.write(change)


async def test_a_job_that_failed_counts_on_and_one_that_repeats_starts_again(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        jobs.add(tx, "prune", "", due_at=NOON)
        seen = []
        for hours, failed in ((0, True), (1, False), (2, True)):
            [job] = claim(tx, HOUR * hours)
            seen.append(job.attempts)
            jobs.later(tx, job, NOON + HOUR * (hours + 1), failed=failed)
            assert jobs.next_due(tx) == NOON + HOUR * (hours + 1)
        return seen

    assert await db.write(change) == [1, 2, 1]


async def test_what_is_periodic_keeps_its_time(db: Database) -> None:
    def change(tx: Transaction) -> None:
        jobs.add_if_missing(tx, "prune", "", due_at=NOON + HOUR)
        jobs.add_if_missing(tx, "prune", "", due_at=NOON)
        assert jobs.next_due(tx) == NOON + HOUR

    await db.write(change)
