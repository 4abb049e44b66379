"""The index of words: what is found, what the file says of it, and what leaves it."""

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.protocol import ids, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    actors,
    blocks,
    bookmarks,
    database,
    departed,
    erasing,
    notes,
    search,
    search_index,
)
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.search import Fact, Mark, Query, Term
from tests.factories import NOON, an_actor

BOB = an_actor("bob")


def posted(
    tx: Transaction,
    html: str,
    *,
    by: vocab.Actor = BOB,
    visibility: Visibility = Visibility.PUBLIC,
    minutes_ago: int = 0,
    note: vocab.Note | None = None,
) -> int:
    """Keep a post; its id."""
    number = tx.value("SELECT (SELECT count(*) FROM notes) + (SELECT count(*) FROM tombstones)")
    made = note or vocab.Note(
        uri=f"{by.uri}/notes/{number}",
        attributed_to=by.uri,
        published=NOON - timedelta(minutes=minutes_ago),
    )
    author = actors.keep(tx, by, handle=None, now=NOON)
    kept = notes.keep(
        tx, made, actor_id=author.id, visibility=visibility, html=SafeHtml(html), now=NOON
    )
    assert kept is not None
    return kept[0].id


def indexed(tx: Transaction) -> None:
    while search_index.index(tx):
        pass


def found(reader: Reader, *terms: str | Term, **more: object) -> list[int]:
    said = tuple(Term(one) if isinstance(one, str) else one for one in terms)
    query = Query(said, **more)  # type: ignore[arg-type]
    return [note.id for note in search.find(reader, query, limit=20).notes]


async def finds(db: Database, *terms: str | Term, **more: object) -> list[int]:
    return await db.read(lambda r: found(r, *terms, **more))


async def test_words_are_found_without_case_and_accents_newest_first(db: Database) -> None:
    def change(tx: Transaction) -> tuple[int, int]:
        old = posted(tx, "<p>A Crème brûlée, twice</p>", minutes_ago=5)
        new = posted(tx, "<p>creme <b>BRULEE</b> again</p>")
        posted(tx, "<p>Only cream</p>", minutes_ago=1)
        indexed(tx)
        return old, new

    old, new = await db.write(change)

    assert await finds(db, "crème", "brulee") == [new, old]
    assert await finds(db, "brulee", Term("again", is_excluded=True)) == [old]
    assert await finds(db, Term("twi", is_beginning=True)) == [old]
    assert await finds(db, "twi") == []


async def test_words_side_by_side_are_found_in_open_and_in_closed_posts(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        made = [
            posted(tx, "<p>low water at noon</p>"),
            posted(tx, "<p>low water, for followers</p>", visibility=Visibility.FOLLOWERS),
            posted(tx, "<p>water is low</p>"),
            posted(tx, "<p>water is low, for followers</p>", visibility=Visibility.FOLLOWERS),
        ]
        indexed(tx)
        return made

    together, together_closed, apart, apart_closed = await db.write(change)

    assert await finds(db, "low water") == [together_closed, together]
    assert await finds(db, "low", "water") == [
        apart_closed,
        apart,
        together_closed,
        together,
    ]
    without = Term("low water", is_excluded=True)
    assert await finds(db, "low", without) == [apart_closed, apart]


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.LIMITED])
async def test_japanese_is_found_by_any_part_of_a_run(db: Database, visibility: Visibility) -> None:
    def change(tx: Transaction) -> int:
        one = posted(tx, "<p>きのう東京都の猫カフェへ行った。</p>", visibility=visibility)
        posted(tx, "<p>京都と東大</p>", visibility=visibility)
        indexed(tx)
        return one

    one = await db.write(change)

    for text in ("東京都", "東京", "猫", "猫カフェ", "ｶﾌｪ", "きのう東京都の猫カフェへ行った"):
        assert await finds(db, text) == [one], text
    assert await finds(db, "東京大") == []


async def test_korean_thai_hindi_and_arabic_are_found(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        texts = ("오늘 날씨가 좋다", "วันนี้อากาศดี", "हिन्दी में लिखा", "كَتَبَ الوَلَدُ رسالة")
        made = [posted(tx, f"<p>{text}</p>") for text in texts]
        indexed(tx)
        return made

    made = await db.write(change)

    for text, one in zip(("날씨가", "อากาศ", "हिन्दी", "كتب"), made, strict=True):
        assert await finds(db, text) == [one]


async def test_alt_texts_warnings_titles_answers_and_hashtags_are_words_too(db: Database) -> None:
    def change(tx: Transaction) -> int:
        picture = vocab.Attachment("https://b.example/1.png", "image/png", alt="A heron")
        one = posted(
            tx,
            "<p>Look</p>",
            note=vocab.Note(
                uri=f"{BOB.uri}/notes/whole",
                attributed_to=BOB.uri,
                name="The jetty",
                summary="Birds",
                language="en-GB",
                attachments=(picture,),
                poll=vocab.Poll((vocab.Option("Varnish"), vocab.Option("Oil"))),
                hashtags=("lakes",),
                published=NOON,
            ),
        )
        indexed(tx)
        return one

    one = await db.write(change)

    for word in ("heron", "birds", "jetty", "varnish", "lakes", "look"):
        assert await finds(db, word) == [one], word
    for fact in ("hasimage", "hasmedia", "haspoll", "haswarning", "langen", "forpublic"):
        assert await finds(db, facts=(Fact((fact,)),)) == [one], fact
    no_fact = Fact(("hasvideo", "haslink"))
    assert await finds(db, facts=(no_fact,)) == []
    assert await finds(db, facts=(Fact(("hasvideo",), is_excluded=True),)) == [one]


async def test_facts_of_closed_posts_can_be_asked_for(db: Database) -> None:
    def change(tx: Transaction) -> tuple[int, int]:
        one = posted(tx, "<p>quiet</p>", visibility=Visibility.FOLLOWERS)
        indexed(tx)
        bob = actors.id_of(tx, BOB.uri)
        assert bob is not None
        return one, bob

    one, bob = await db.write(change)

    assert await finds(db, "quiet", facts=(Fact((f"by{bob}",)),)) == [one]
    assert await finds(db, facts=(Fact(("forfollowers",)),)) == [one]
    assert await finds(db, facts=(Fact(("forpublic",)),)) == []


async def test_an_edited_post_is_found_by_what_it_says_now(db: Database) -> None:
    def change(tx: Transaction) -> int:
        one = posted(tx, "<p>ash spars</p>")
        indexed(tx)
        note = vocab.Note(uri=f"{BOB.uri}/notes/0", attributed_to=BOB.uri, published=NOON)
        notes.edit(tx, one, note, html=SafeHtml("<p>pine spars</p>"), now=NOON)
        indexed(tx)
        return one

    one = await db.write(change)

    assert await finds(db, "pine", "spars") == [one]
    assert await finds(db, "ash") == []


async def test_a_page_goes_on_where_the_last_one_ended(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        made = [posted(tx, "<p>kite</p>", minutes_ago=9 - n) for n in range(5)]
        indexed(tx)
        return made[::-1]

    made = await db.write(change)

    def pages(reader: Reader) -> list[list[int]]:
        seen, before = [], None
        while True:
            page = search.find(reader, Query((Term("kite"),)), before=before, limit=2)
            seen.append([note.id for note in page.notes])
            before = page.before
            if before is None:
                return seen

    assert await db.read(pages) == [made[:2], made[2:4], made[4:]]


async def test_times_bound_what_is_found(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        made = [posted(tx, "<p>kite</p>", minutes_ago=60 * n) for n in range(4)]
        indexed(tx)
        return made

    made = await db.write(change)
    first, before = (ids.row_id(NOON - timedelta(minutes=m)) for m in (150, 30))

    def between(reader: Reader) -> list[int]:
        return found(reader, "kite", first_id=first, before_id=before)

    assert await db.read(between) == [made[1], made[2]]


async def test_marks_of_the_owner_choose_and_a_long_look_says_how_far_it_got(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_SEEN", 3)

    def change(tx: Transaction) -> list[int]:
        made = [posted(tx, "<p>kite</p>", minutes_ago=n) for n in range(6)]
        bookmarks.add(tx, made[1], NOON)
        bookmarks.add(tx, made[4], NOON)
        indexed(tx)
        return made

    made = await db.write(change)
    query = Query((Term("kite"),), marks=(Mark("bookmarks"),))

    first = await db.read(lambda r: search.find(r, query, limit=20))
    second = await db.read(lambda r: search.find(r, query, before=first.before, limit=20))

    assert [one.id for one in first.notes] == [made[1]]
    assert first.is_cut
    assert [one.id for one in second.notes] == [made[4]]
    assert second.before is None


async def test_posts_of_blocked_people_and_servers_are_not_found(db: Database) -> None:
    def change(tx: Transaction) -> int:
        stays = posted(tx, "<p>kite</p>", by=an_actor("ann", "a.example"))
        posted(tx, "<p>kite</p>")
        posted(tx, "<p>kite</p>", by=an_actor("eve", "social.bad.example"))
        indexed(tx)
        bob = actors.id_of(tx, BOB.uri)
        assert bob is not None
        blocks.block_actor(tx, bob, NOON)
        blocks.block_host(tx, "bad.example", NOON)
        return stays

    stays = await db.write(change)

    assert await finds(db, "kite") == [stays]


HOSTILE = (
    '"',
    "\" OR words : '",
    "NEAR(a b)",
    "a AND NOT",
    "words:x",
    "^a",
    "a*",
    "-",
    "(((((",
    "_forpublic",
    "__aaaaaaaa",
    "\x00",
    "{a b} : c",
    "\ud800",
    "‮" * 50,
    "a" * 5000,
    ".".join(str(number) for number in range(600)),
    "".join(chr(0x4E00 + number) for number in range(2000)),
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_typed_never_becomes_a_question_of_its_own(db: Database, text: str) -> None:
    def change(tx: Transaction) -> None:
        posted(tx, "<p>nothing of the kind</p>")
        indexed(tx)

    await db.write(change)

    for one in (Term(text), Term(text, is_beginning=True), Term(text, is_excluded=True)):
        await finds(db, one, "kind")
    assert await finds(db, text, "absent") == []
    await db.read(lambda r: search.people(r, text, limit=5))
    await db.read(lambda r: search.tags(r, text, limit=5))


async def test_thirty_terms_with_both_forms_are_one_question(db: Database) -> None:
    def change(tx: Transaction) -> int:
        one = posted(tx, f"<p>{' '.join(f'word{n}' for n in range(60))}</p>")
        indexed(tx)
        return one

    one = await db.write(change)

    assert await finds(db, *(f"word{n}" for n in range(60))) == [one]


def words_in(tx: Reader, table: str) -> Sequence[str]:
    return [row["words"] for row in tx.all(f"SELECT words FROM {table}")]  # noqa: S608


async def test_closed_posts_lie_in_the_index_as_hashes_in_no_order(db: Database) -> None:
    def change(tx: Transaction) -> None:
        posted(tx, "<p>zebra zebra apple secret</p>", visibility=Visibility.FOLLOWERS)
        indexed(tx)

    await db.write(change)
    (kept,) = await db.read(lambda r: words_in(r, "search_posts"))
    hashes = kept.split()

    assert all(len(one) == 10 and one.startswith("__") for one in hashes)
    assert hashes == sorted(set(hashes))
    # Three words, who wrote it, for whom.
    assert len(hashes) == 5


async def test_no_word_of_a_closed_or_deleted_post_lies_in_the_file(
    db: Database, tmp_path: Path
) -> None:
    def change(tx: Transaction) -> int:
        for number in range(200):
            posted(tx, f"<p>ordinary chatter number{number}</p>", minutes_ago=number)
        posted(tx, "<p>quicksilverheron</p>", visibility=Visibility.FOLLOWERS)
        gone = posted(tx, "<p>marmaladeotter</p>")
        indexed(tx)
        return gone

    def drop(tx: Transaction) -> None:
        notes.delete(tx, gone, now=NOON)
        indexed(tx)
        search_index.begin_tidying(tx, NOON)

    def folded(tx: Transaction) -> None:
        while search_index.tidy(tx):
            pass

    gone = await db.write(change)
    await db.write(drop)
    await db.write(folded)
    path = tmp_path / database.FILE_NAME
    with contextlib.closing(sqlite3.connect(path)) as beside:
        beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = path.read_bytes()

    assert b"number199" in file
    assert b"quicksilverheron" not in file
    assert b"marmaladeotter" not in file
    assert b"armaladeotter" not in file  # the index keeps what words begin with apart


async def test_tidying_is_due_after_something_was_deleted_once_a_day(db: Database) -> None:
    def made(tx: Transaction) -> int:
        one = posted(tx, "<p>one</p>")
        indexed(tx)
        return one

    def gone(tx: Transaction, one: int) -> None:
        notes.delete(tx, one, now=NOON)
        indexed(tx)

    one = await db.write(made)
    assert not await db.read(lambda r: search_index.is_untidy(r, NOON))

    await db.write(lambda tx: gone(tx, one))
    assert await db.read(lambda r: search_index.is_untidy(r, NOON))

    await db.write(lambda tx: search_index.begin_tidying(tx, NOON))
    another = await db.write(made)
    await db.write(lambda tx: gone(tx, another))
    assert not await db.read(lambda r: search_index.is_untidy(r, NOON + timedelta(hours=23)))
    assert await db.read(lambda r: search_index.is_untidy(r, NOON + timedelta(hours=24)))


async def test_a_deleted_post_is_gone_before_and_after_it_was_indexed(db: Database) -> None:
    def change(tx: Transaction) -> None:
        early = posted(tx, "<p>heron</p>")
        notes.delete(tx, early, now=NOON)
        late = posted(tx, "<p>heron</p>", minutes_ago=1)
        indexed(tx)
        notes.delete(tx, late, now=NOON)
        indexed(tx)

    await db.write(change)

    assert await db.read(lambda r: words_in(r, "search_posts")) == []
    assert not await db.read(search_index.has_waiting)


async def test_posts_go_with_their_author_out_of_the_index(db: Database) -> None:
    def change(tx: Transaction) -> None:
        posted(tx, "<p>heron</p>")
        indexed(tx)
        bob = actors.id_of(tx, BOB.uri)
        assert bob is not None
        departed.forget(tx, bob)
        assert found(tx, "heron") == []
        indexed(tx)

    await db.write(change)

    assert await db.read(lambda r: words_in(r, "search_posts")) == []
    assert await db.read(lambda r: words_in(r, "search_people")) == []


async def test_an_erased_account_leaves_an_index_that_works(db: Database) -> None:
    def change(tx: Transaction) -> None:
        posted(tx, "<p>heron</p>")
        indexed(tx)
        erasing.contents(tx)

    await db.write(change)
    assert await db.read(lambda r: words_in(r, "search_posts")) == []

    def again(tx: Transaction) -> int:
        one = posted(tx, "<p>heron</p>")
        indexed(tx)
        return one

    one = await db.write(again)
    assert await finds(db, "heron") == [one]


async def test_people_are_found_by_the_beginning_of_any_word_of_theirs(db: Database) -> None:
    def change(tx: Transaction) -> None:
        for username, host, name in (
            ("jules", "b.example", "Zoë Müller"),
            ("zoe", "kites.example", "Somebody"),
            ("ann", "b.example", "Ann"),
        ):
            person = vocab.Actor(
                uri=f"https://{host}/users/{username}",
                inbox=f"https://{host}/users/{username}/inbox",
                preferred_username=username,
                name=name,
            )
            actors.keep(tx, person, handle=None, now=NOON)
        indexed(tx)

    await db.write(change)

    def names(reader: Reader, text: str) -> list[str]:
        return [one.username for one in search.people(reader, text, limit=10)]

    assert await db.read(lambda r: names(r, "zoe")) == ["zoe", "jules"]
    assert await db.read(lambda r: names(r, "mull zo")) == ["jules"]
    assert await db.read(lambda r: names(r, "@zoe kites")) == ["zoe"]
    assert await db.read(lambda r: names(r, "!?")) == []
    named = await db.read(lambda r: search.named(r, "Zoe", None, limit=10))
    assert len(named) == 1
    assert await db.read(lambda r: search.named(r, "zoe", "b.example", limit=10)) == []


async def test_a_new_name_is_found_and_the_old_one_is_not(db: Database) -> None:
    def change(tx: Transaction) -> None:
        actors.keep(tx, an_actor("bob"), handle=None, now=NOON)
        indexed(tx)
        actors.keep(tx, an_actor("bob", name="Robert"), handle=None, now=NOON)
        indexed(tx)

    await db.write(change)

    assert await db.read(lambda r: len(search.people(r, "rob", limit=5))) == 1
    assert await db.read(lambda r: words_in(r, "search_people")) == ["robert bob b example"]


async def test_hashtags_are_found_by_their_beginning_with_their_count(db: Database) -> None:
    def change(tx: Transaction) -> None:
        for number, tags in enumerate((("lakes", "lake"), ("lakes",), ("land",), ("laké",))):
            note = vocab.Note(
                uri=f"{BOB.uri}/notes/tagged{number}",
                attributed_to=BOB.uri,
                hashtags=tags,
                published=NOON,
            )
            posted(tx, "<p>x</p>", note=note)

    await db.write(change)

    def names(reader: Reader) -> list[tuple[str, int]]:
        return [(one.name, one.posts) for one in search.tags(reader, "#Lak", limit=10)]

    assert await db.read(names) == [("lake", 1), ("lakes", 2), ("laké", 1)]
    assert await db.read(lambda r: len(search.tags(r, "la", limit=2))) == 2
