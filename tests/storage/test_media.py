"""Pictures: what is known of them, and their bytes in files."""

from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.protocol import ids
from microfedi.storage import files, media, notes
from microfedi.storage.database import Database, Transaction
from microfedi.storage.sealed import Sealer
from tests.factories import NOON
from tests.storage.test_notes import a_note, kept


def a_picture(name: str) -> media.Media:
    return media.Media(name, "image/jpeg", 100, 20, 10, "LEHV6n", sealed=False)


async def test_a_picture_belongs_to_one_note_and_goes_with_it(db: Database) -> None:
    def story(tx: Transaction) -> None:
        note, other = kept(tx, a_note("1")), kept(tx, a_note("2"))
        for name in ("a", "b", "c"):
            media.add(tx, a_picture(name), NOON)
        assert media.attach(tx, ["a", "b"], note_id=note.id) == 2
        assert media.attach(tx, ["b"], note_id=other.id) == 0
        assert {one.public_id for one in media.of_note(tx, note.id)} == {"a", "b"}
        assert media.total_bytes(tx) == 300
        notes.delete(tx, note.id, now=NOON)
        assert media.by_id(tx, "a") is None
        assert media.by_id(tx, "c") == a_picture("c")
        assert media.all_ids(tx) == {"c"}
        assert media.delete(tx, ["c", "d"]) == 1

    await db.write(story)


async def test_the_longest_unseen_copies_come_first(db: Database) -> None:
    def story(tx: Transaction) -> None:
        for number, key in enumerate("abc"):
            at = NOON + timedelta(minutes=number)
            media.put_cached(tx, key, media_type="image/webp", size_bytes=10, now=at)
        media.put_cached(tx, "a", media_type="", size_bytes=0, now=NOON)
        media.touch_cached(tx, ["a"], NOON + timedelta(hours=1))
        assert [one.key for one in media.oldest_cached(tx, limit=2)] == ["b", "c"]
        assert media.cached_bytes(tx) == 20
        found = media.cached(tx, "a")
        assert found is not None
        assert (found.media_type, found.fetched_at) == ("", NOON)
        assert media.delete_cached(tx, ["a", "b"]) == 2
        assert media.cached(tx, "a") is None

    await db.write(story)


def test_files_are_private_and_whole(tmp_path: Path, sealer: Sealer) -> None:
    directory = tmp_path / "data" / "media"
    name = ids.public_id()
    files.write(directory, name, b"picture")
    files.write(directory, name, b"picture 2")
    files.write(directory, "sealed", b"picture", sealer=sealer)

    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / name).stat().st_mode & 0o777 == 0o600
    assert files.read(directory, name) == b"picture 2"
    assert files.read(directory, "sealed", sealer=sealer) == b"picture"
    assert b"picture" not in (directory / "sealed").read_bytes()
    assert files.names(directory) == {name, "sealed"}
    assert files.read(directory, "missing") is None
    assert files.delete(directory, name)
    assert not files.delete(directory, name)
    assert files.names(tmp_path / "nowhere") == set()


def test_a_sealed_file_does_not_open_under_another_name(tmp_path: Path, sealer: Sealer) -> None:
    files.write(tmp_path, "one", b"picture", sealer=sealer)
    (tmp_path / "one").rename(tmp_path / "two")

    with pytest.raises(ValueError, match="does not open"):
        files.read(tmp_path, "two", sealer=sealer)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a.part", "a\x00", "x" * 65])
def test_a_name_cannot_leave_the_directory(tmp_path: Path, name: str) -> None:
    for operation in (files.read, files.delete):
        with pytest.raises(ValueError, match="name of a file"):
            operation(tmp_path, name)
    with pytest.raises(ValueError, match="name of a file"):
        files.write(tmp_path, name, b"")


def test_what_a_crash_left_is_cleared(tmp_path: Path) -> None:
    files.write(tmp_path, "good", b"picture")
    (tmp_path / "bad.0123456789abcdef.part").write_bytes(b"pict")

    assert files.clear_unfinished(tmp_path) == 1
    assert files.names(tmp_path) == {"good"}
