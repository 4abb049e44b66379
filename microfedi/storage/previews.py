"""What the pages say of themselves that open posts link to."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Preview:
    """Plain text, all of it; `title` is "" if the page could not be had or says nothing."""

    url: str
    title: str
    description: str
    image_url: str | None


def put(tx: Transaction, preview: Preview, now: datetime) -> None:
    """Keep what a page says, in place of what it said before."""
    tx.run(
        """
        INSERT INTO previews (url, title, description, image_url, fetched_at)
        VALUES (:url, :title, :description, :image_url, :now)
        ON CONFLICT (url) DO UPDATE
           SET title = excluded.title, description = excluded.description,
               image_url = excluded.image_url, fetched_at = excluded.fetched_at
        """,
        {
            "url": preview.url,
            "title": preview.title,
            "description": preview.description,
            "image_url": preview.image_url,
            "now": instants.to_text(now),
        },
    )


def is_known(reader: Reader, url: str) -> bool:
    """Whether a page was asked already."""
    return bool(
        reader.value("SELECT EXISTS (SELECT 1 FROM previews WHERE url = :url)", {"url": url})
    )


def of_urls(reader: Reader, urls: Collection[str]) -> dict[str, Preview]:
    """Return what pages say that say something, by address."""
    rows = reader.all(
        """
        SELECT url, title, description, image_url
          FROM previews
         WHERE url IN (SELECT value FROM json_each(:urls))
           AND title != ''
        """,
        {"urls": json.dumps(list(urls))},
    )
    return {row["url"]: Preview(**row) for row in rows}


def prune(tx: Transaction, before: datetime) -> int:
    """Forget pages that were read before; return how many."""
    return tx.run(
        "DELETE FROM previews WHERE fetched_at < :before", {"before": instants.to_text(before)}
    )
