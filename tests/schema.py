"""Writes the current schema as SQL: `make schema` keeps it as docs/schema.sql."""

import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path

from microfedi.storage import database, schema

HEADER = """\
-- The schema as it is now, written by `make schema`; microfedi/storage/migrations/ makes it.
-- Instants are UTC text of fixed width. What is called sealed is encrypted (storage/sealed.py).
"""


def current() -> str:
    """Return every table, index and trigger of a fresh file, tables with their indexes.

    What SQLite makes for a virtual table is its own affair.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / database.FILE_NAME
        schema.migrate(path)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                """
                SELECT sql
                  FROM sqlite_master
                 WHERE sql IS NOT NULL
                   AND name NOT LIKE 'sqlite_%'
                   AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
                 ORDER BY tbl_name, type = 'table' DESC, name
                """
            ).fetchall()
    return HEADER + "".join(f"\n{sql};\n" for (sql,) in rows)


if __name__ == "__main__":
    sys.stdout.write(current())
