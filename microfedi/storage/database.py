"""The one SQLite file: one writer, a few readers, changes as plain functions.

A change is a function `(tx) -> T` that runs whole on the writer's thread; changes that wait at the
same time share one COMMIT, each inside its own savepoint, so that a failing one fails alone. What
a page reads is a function `(reader) -> T` that runs whole on a reader's thread, in one snapshot.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from microfedi.errors import ConfigError, DiskFull
from microfedi.storage import room, schema
from microfedi.storage.room import Room
from microfedi.storage.sealed import Sealer
from microfedi.storage.vault import SecretKeys

log = logging.getLogger(__name__)
# At DEBUG it would write down whatever was read, messages among it.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

T = TypeVar("T")
Params = Mapping[str, Any] | Sequence[Any]

FILE_NAME = "microfedi.db"
MAX_GROUP = 64  # changes that share a COMMIT: more gain nothing and make the first one wait
MAX_QUESTIONS = 16  # that share a snapshot: one page among them delays the others by milliseconds
READERS = 2  # threads; a page takes milliseconds, and each has its own page cache
CACHE_KIB = 4096  # page cache of a connection
_BUSY_TIMEOUT_MS = 5000  # only a backup or a shell can hold the file
# The WAL goes on holding what the file holds no more: what was deleted, or has been delivered. So
# soon after the first such change it is folded in and cut off.
FOLD_AFTER_S = 60.0
_FOLD_TIMEOUT_MS = 200  # pages that are being read hold it up; then it is tried a minute later

_READ_PRAGMAS = f"""
    PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS};
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -{CACHE_KIB};
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
"""
_WRITE_PRAGMAS = (
    _READ_PRAGMAS
    + """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA journal_size_limit = 16777216;
"""
)


class Reader:
    """Runs SELECTs on one connection, in one snapshot. Rows are sqlite3.Row.

    `vault` opens messages; None unless whoever asks is logged in and has the vault open.
    """

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer) -> None:
        self._connection = connection
        self.sealer = sealer
        self.vault: SecretKeys | None = None

    def one(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """Return the first row, or None."""
        with _noticing_lack_of_room():
            row: sqlite3.Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def all(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """Return every row; the query must bound their number."""
        with _noticing_lack_of_room():
            return self._connection.execute(sql, params).fetchall()

    def value(self, sql: str, params: Params = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.one(sql, params)
        return None if row is None else row[0]


class Transaction(Reader):
    """A Reader that may also change things; only `Database.write` makes one."""

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute a change and return how many rows it touched."""
        with _noticing_lack_of_room():
            return self._connection.execute(sql, params).rowcount

    def run_many(self, sql: str, rows: Sequence[Params]) -> None:
        """Execute one change for each of `rows`."""
        with _noticing_lack_of_room():
            self._connection.executemany(sql, rows)

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """A part of the change that is rolled back alone if it raises."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except DiskFull:
            raise  # the whole transaction is lost, and SQLite may have ended it already
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")


class _Connection(sqlite3.Connection):
    """Its `execute` also takes a function, which then runs whole on aiosqlite's thread."""

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        return sql(self) if callable(sql) else super().execute(sql, parameters)


_Change = tuple[Callable[[Any], Any], "asyncio.Future[Any]"]
_Outcome = tuple[Any, BaseException | None]


class Database:
    """The file, opened. Made by `open_database`; everything else goes through read and write.

    `after_commit` is called on the event loop whenever something was changed; `room` knows whether
    the disk is full. Nothing is refused here before it fails: the doors and the workers ask `room`,
    and the reserve is there for what makes room again.
    """

    def __init__(
        self,
        writer: aiosqlite.Connection,
        readers: list[aiosqlite.Connection],
        sealer: Sealer,
        room: Room,
    ) -> None:
        self.sealer = sealer
        self.room = room
        self.after_commit: Callable[[], None] = lambda: None
        self._writer = writer
        self._readers = readers
        self._idle = list(readers)
        self._questions: deque[_Change] = deque()
        self._reading: set[asyncio.Task[None]] = set()
        self._waiting: deque[_Change] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._fold_at: float | None = None  # on the loop's clock; None while the WAL is empty
        self._committer = asyncio.create_task(self._commit_groups(), name="database writer")

    async def write(
        self, change: Callable[[Transaction], T], *, vault: SecretKeys | None = None
    ) -> T:
        """Run `change` whole on the writer's thread; return its result once it is on disk.

        `vault` is what opens messages, for a change that has to read them.

        Whoever is cancelled while waiting takes his change with him if it has not begun; a change
        that has begun is committed or rolled back whole, whoever still listens.

        Raises: whatever `change` raises (it is then rolled back); DiskFull; sqlite3.Error if the
        disk fails.
        """
        if self._closing:
            raise RuntimeError("the database is closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((_as_here(_with(change, vault)), done))
        self._wake.set()
        return await done

    async def note(self, change: Callable[[Transaction], object]) -> None:
        """Run a small `change` that nothing depends on: left out while the disk is full."""
        if not self.room.is_full():
            with contextlib.suppress(DiskFull):
                await self.write(change)

    async def read(self, question: Callable[[Reader], T], *, vault: SecretKeys | None = None) -> T:
        """Run `question` whole on a reader's thread, in one snapshot, and return its answer.

        `vault` is what opens messages, for a question about them.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._questions.append((_as_here(_with(question, vault)), done))
        self._start_reading()
        return await done

    async def fold(self) -> bool:
        """Fold the WAL into the file and cut it off; False if somebody was reading all the time."""
        with contextlib.suppress(sqlite3.Error):
            left: list[int] = []
            await _run(self._writer, partial(_fold, left))
            return left == [0]
        return False

    async def close(self) -> None:
        """Commit what waits, fold the WAL into the file, and close every connection."""
        self._closing = True
        self._wake.set()
        await self._committer
        await asyncio.gather(*self._reading, return_exceptions=True)
        for reader in self._readers:
            await reader.close()
        await self.fold()
        await self._writer.close()

    def _start_reading(self) -> None:
        """Give what is asked to the readers that are idle; what comes meanwhile is asked together:
        a hop to another thread costs more than most questions.
        """
        while self._idle and self._questions:
            group = _taken(self._questions, MAX_QUESTIONS)
            if group:
                task = asyncio.create_task(self._read_group(self._idle.pop(), group))
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)

    async def _read_group(self, reader: aiosqlite.Connection, group: list[_Change]) -> None:
        outcomes: list[_Outcome] = []
        try:
            await _run(reader, partial(_ask, group, outcomes, self.sealer))
        except sqlite3.Error as error:  # BEGIN failed
            outcomes = [(None, error)] * len(group)
        self._idle.append(reader)
        _tell(group, outcomes)
        self._start_reading()

    async def _commit_groups(self) -> None:
        now = asyncio.get_running_loop().time
        while not (self._closing and not self._waiting):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._fold_at):
                    await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                group = _taken(self._waiting, MAX_GROUP)
                if not group:
                    continue
                outcomes: list[_Outcome] = []
                try:
                    await _run(self._writer, partial(_apply, group, outcomes, self.sealer))
                except DiskFull as error:
                    self.room.failed()
                    outcomes = [(None, error)] * len(group)
                except sqlite3.Error as error:  # BEGIN or COMMIT failed: nobody's change is kept
                    log.error("a commit failed, nothing of it was kept: %s", error)
                    outcomes = [(None, error)] * len(group)
                else:
                    self.room.succeeded()
                    self._fold_at = self._fold_at or now() + FOLD_AFTER_S
                _tell(group, outcomes)
                self.after_commit()
            if self._fold_at is not None and now() >= self._fold_at:
                self._fold_at = None if await self.fold() else now() + FOLD_AFTER_S


@contextlib.contextmanager
def _noticing_lack_of_room() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if room.is_lack(error):
            raise DiskFull from error
        raise


def _with(function: Callable[[Any], Any], vault: SecretKeys | None) -> Callable[[Any], Any]:
    """Give the Reader that `function` gets what opens messages."""
    if vault is None:
        return function

    def opened(reader: Reader) -> Any:
        reader.vault = vault
        return function(reader)

    return opened


def _as_here(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Run on another thread, `function` knows what its caller knows: the reader's language."""
    context = copy_context()
    return lambda connection: context.run(function, connection)


def _taken(waiting: deque[_Change], limit: int) -> list[_Change]:
    """Take the first ones whose authors have not been cancelled meanwhile."""
    group: list[_Change] = []
    while waiting and len(group) < limit:
        change = waiting.popleft()
        if not change[1].done():
            group.append(change)
    return group


def _tell(group: list[_Change], outcomes: list[_Outcome]) -> None:
    for (_, done), (result, error) in zip(group, outcomes, strict=True):
        if done.done():
            continue
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)


async def _run(
    connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], None]
) -> None:
    """Run `function` whole on the connection's thread (see _Connection)."""
    await connection.execute(function)


def _fold(left: list[int], conn: sqlite3.Connection) -> None:
    """Put into `left` whether somebody held it up: 0 if not."""
    conn.execute(f"PRAGMA busy_timeout = {_FOLD_TIMEOUT_MS}")
    try:
        left.append(conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    finally:
        conn.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")


def _ask(
    group: list[_Change], outcomes: list[_Outcome], sealer: Sealer, conn: sqlite3.Connection
) -> None:
    """Answer a group of questions in one snapshot; one that fails fails alone."""
    conn.execute("BEGIN")
    try:
        for question, _ in group:
            try:
                outcomes.append((question(Reader(conn, sealer)), None))
            except Exception as error:
                outcomes.append((None, error))
    finally:
        conn.execute("ROLLBACK")


def _apply(
    group: list[_Change], outcomes: list[_Outcome], sealer: Sealer, conn: sqlite3.Connection
) -> None:
    """One BEGIN and COMMIT for the group, a savepoint each, so that one failure is one failure.

    Raises: DiskFull, and then nothing of the whole group was kept: SQLite ends the transaction.
    """
    try:
        conn.execute("BEGIN IMMEDIATE")
        for change, _ in group:
            conn.execute("SAVEPOINT one")
            try:
                outcomes.append((change(Transaction(conn, sealer)), None))
            except DiskFull:
                raise
            except Exception as error:
                conn.execute("ROLLBACK TO one")
                outcomes.append((None, error))
            conn.execute("RELEASE one")
        conn.execute("COMMIT")
    except BaseException as error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error) and room.is_lack(error):
            raise DiskFull from error
        raise


async def open_database(path: Path, sealer: Sealer) -> Database:
    """Open the migrated file at `path`: one writer and a few readers, each with its own thread.

    Raises: ConfigError if its schema is not this microfedi's (run `schema.migrate` first).
    """
    found = schema.version(path)
    if found != schema.newest():
        raise ConfigError(f"{path} has schema {found}, expected {schema.newest()}")
    with schema.private_files():
        writer = await _connect(path, _WRITE_PRAGMAS)
    readers = [await _connect(path, _READ_PRAGMAS, query_only=True) for _ in range(READERS)]
    return Database(writer, readers, sealer, Room(path.parent))


async def _connect(path: Path, pragmas: str, *, query_only: bool = False) -> aiosqlite.Connection:
    connection = aiosqlite.connect(path, isolation_level=None, factory=_Connection)
    await connection
    connection.row_factory = sqlite3.Row
    await connection.executescript(pragmas + ("PRAGMA query_only = ON;" if query_only else ""))
    return connection


@contextlib.asynccontextmanager
async def opened(path: Path, sealer: Sealer) -> AsyncIterator[Database]:
    """Migrate, open, and close again: for the command line and for tests."""
    schema.migrate(path)
    database = await open_database(path, sealer)
    try:
        yield database
    finally:
        await database.close()
