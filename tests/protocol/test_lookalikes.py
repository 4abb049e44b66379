"""Who could be taken for whom: pairs that must be noticed, and pairs that must not."""

import random

import pytest

from microfedi.protocol import lookalikes
from microfedi.protocol.lookalikes import Familiar, Person

# What several bits of a portrait look like: 32 of 64 bits, and others of it.
FACE = 0x0F1E3C78F0E1C387
OTHER_FACE = 0xA5A55A5A3C3CC3C3


def person(
    address: str, name: str = "", *, picture: int | None = None, id: int = 1, **fields: object
) -> Person:
    username, _, host = address.partition("@")
    uri = f"https://{host}/users/{username}"
    return Person(id, uri, username, host, name, picture, **fields)  # type: ignore[arg-type]


def parts(stranger: Person, known: Person) -> set[str]:
    return {one.part for one in lookalikes.compared(stranger, known)}


@pytest.mark.parametrize(
    ("stranger", "known", "expected"),
    [
        # Other letters that look the same, on the same server.
        (("rnaya@us.example", ""), ("maya@us.example", ""), {"handle"}),
        (("paypa1@us.example", ""), ("paypal@us.example", ""), {"handle"}),
        (("PaypaI@us.example", ""), ("paypal@us.example", ""), {"handle"}),
        (("ann0@us.example", ""), ("anno@us.example", ""), {"handle"}),
        (("m\u0430y\u0430@us.example", ""), ("maya@us.example", ""), {"handle"}),
        (("maya_@us.example", ""), ("maya@us.example", ""), {"handle"}),
        (("ma.ya@us.example", "Maya"), ("ma_ya@us.example", "Maya"), {"handle", "name"}),
        # One letter more, less, other or swapped, and the name beside it.
        (("jonh_doe@us.example", "John Doe"), ("john_doe@us.example", "John Doe"),
         {"handle", "name"}),
        (("christinaa@us.example", ""), ("christina@us.example", "Christina"), {"handle"}),
        (("journalst@us.example", "J"), ("journalist@us.example", ""), {"handle"}),
        # The same name before a server that looks the same.
        (("maya@rnastodon.social", ""), ("maya@mastodon.social", ""), {"server"}),
        (("maya@mastodom.social", ""), ("maya@mastodon.social", ""), {"server"}),
        (("maya@mast\u043edon.social", ""), ("maya@mastodon.social", ""), {"server"}),
        # The server's name, with another one behind it.
        (("maya@mastodon.social.evil.example", ""), ("maya@mastodon.social", ""), {"server"}),
        (("rnaya@b\u00fccher.example.evil.example", ""), ("maya@xn--bcher-kva.example", ""),
         {"server"}),
        # The name.
        (("x@evil.example", "M\u0430ya Lind"), ("maya@us.example", "Maya Lind"), {"name"}),
        (("x@evil.example", "Maya  Lind"), ("maya@us.example", "maya lind"), {"name"}),
        (("maya@evil.example", "Maya"), ("maya@us.example", "Maya"), {"name"}),
        (("real_mayalind@evil.example", "Maya"), ("mayalind@us.example", "Maya"), {"name"}),
        (("x@evil.example", "\U0001d40c\U0001d41a\U0001d432\U0001d41a Lind"),
         ("maya@us.example", "Maya Lind"), {"name"}),
        (("x@evil.example", "AIice Li"), ("alice@us.example", "Alice Li"), {"name"}),
    ],
)  # fmt: skip
def test_who_could_be_taken_for_whom(
    stranger: tuple[str, str], known: tuple[str, str], expected: set[str]
) -> None:
    assert parts(person(*stranger), person(*known, id=2)) == expected


@pytest.mark.parametrize(
    ("stranger", "known"),
    [
        # Common first names, alone, at two servers.
        (("alex@a.example", "Alex"), ("alexandra@b.example", "Alex")),
        (("anna@a.example", "Anna"), ("anne@a.example", "Anne")),
        (("jan@a.example", ""), ("jon@a.example", "")),
        (("maya@a.example", "Maya Lind"), ("maya@b.example", "Maya Sol")),
        (("maya@a.example", ""), ("maya@b.example", "")),
        # Two people of one server with similar handles, who say other names.
        (("christina@a.example", "Christina Berg"), ("christian@a.example", "Christian Holt")),
        # Numbers of accounts.
        (("user12345@a.example", ""), ("user12346@a.example", "")),
        # A server below another one of its name, and one that only ends alike.
        (("maya@social.us.example", ""), ("maya@us.example", "")),
        (("maya@us.example", ""), ("maya@us.example.net", "")),
        # The same software house's servers.
        (("john@mastodon.ie", "John"), ("john@mastodon.it", "Johnny")),
        (("maya@social1.example.org", ""), ("maya@social2.example.org", "")),
        (("maya@mastodon.social", "Maya K."), ("maya@mastodon.online", "Maya")),
        # Names of two letters, and none.
        (("a@a.example", "Al"), ("b@b.example", "Al")),
        (("a@a.example", ""), ("b@b.example", "")),
        # Other scripts that share some letters.
        (("x@a.example", "Иван"), ("y@b.example", "Ivan")),
        (("x@a.example", "田中"), ("y@b.example", "田村")),
        (("x@a.example", "😀😀😀"), ("y@b.example", "😀😀😁")),
        (("news@a.example", "News"), ("news@b.example", "The News")),
    ],
)
def test_who_could_not(stranger: tuple[str, str], known: tuple[str, str]) -> None:
    assert parts(person(*stranger), person(*known, id=2)) == set()


def test_the_difference_is_pointed_out() -> None:
    (reason,) = lookalikes.compared(person("rnaya@us.example"), person("maya@us.example", id=2))

    assert reason.here == ("@", "rn", "aya@us.example")
    assert reason.there == ("@", "m", "aya@us.example")
    assert reason.how == "letters"


def test_a_picture_counts_when_it_is_nearly_the_same() -> None:
    known = person("maya@us.example", "Maya", picture=FACE, id=2)

    assert parts(person("x@e.example", "X", picture=FACE ^ 0b11), known) == {"picture"}
    assert parts(person("x@e.example", "X", picture=FACE ^ 0b11111), known) == set()
    # With the same name a new crop of it is enough.
    assert parts(person("x@e.example", "Maya", picture=FACE ^ 0b11111), known) == {
        "name", "picture",
    }  # fmt: skip
    assert parts(person("x@e.example", "X", picture=OTHER_FACE), known) == set()
    # A letter on a ground says nothing.
    flat = person("maya@us.example", "Maya", picture=0b111, id=2)
    assert parts(person("x@e.example", "X", picture=0b111), flat) == set()


def test_what_several_have_is_no_portrait() -> None:
    known = Familiar(
        [person("a@m.example", picture=FACE, id=2), person("b@m.example", picture=FACE, id=3)]
    )

    assert known.resembled_by(person("x@e.example", picture=FACE)) is None


def test_an_account_that_somebody_names_as_theirs_is_theirs() -> None:
    second = person("maya@pics.example", "Maya Lind")
    known = person("maya@us.example", "Maya Lind", id=2, aliases=frozenset({second.uri}))

    assert lookalikes.compared(second, known) == ()
    # Whoever says it of themselves proves nothing.
    liar = person("maya@evil.example", "Maya Lind", aliases=frozenset({known.uri}))
    assert lookalikes.compared(liar, known) != ()


def test_whom_one_follows_resembles_nobody() -> None:
    ann, anno = person("ann0@us.example", id=2), person("anno@us.example", id=3)
    known = Familiar([ann, anno])

    assert known.resembled_by(ann) is None
    found = known.resembled_by(person("\u0430nno@us.example"))
    assert found is not None
    assert found.known in (ann, anno)


def test_the_prepared_look_finds_what_comparing_each_finds() -> None:
    chance = random.Random(39)  # noqa: S311 - the same words each time
    letters = "abcdeimnorstuv01l"

    def made(number: int) -> Person:
        word = "".join(chance.choice(letters) for _ in range(chance.randint(4, 9)))
        return person(f"{word}@{chance.choice('xyz')}.example", word.title(), id=number)

    known = [made(number) for number in range(2, 120)]
    prepared = Familiar(known)
    strangers = [made(1000)]
    for one in known:
        swapped = one.username[1] + one.username[0] + one.username[2:]
        strangers.append(person(f"{swapped}@{one.host}", one.name, id=1000))
        strangers.append(person(f"{one.username}1@{one.host}", one.name, id=1000))
        strangers.append(person(f"{one.username.replace('o', '0')}x@{one.host}", one.name, id=1000))

    for stranger in strangers:
        slow = {one.id for one in known if lookalikes.compared(stranger, one)}
        found = prepared.resembled_by(stranger)
        assert (found is None) == (not slow), stranger
        assert found is None or found.known.id in slow


@pytest.mark.parametrize("text", ["\u202e" * 500, "e" + "\u0301" * 500, "\ud800x", "\0", "😀" * 40])
def test_odd_texts_are_compared_too(text: str) -> None:
    assert parts(person("x@e.example", text), person("y@f.example", text + "!", id=2)) is not None
    assert lookalikes.skeletons(text)


@pytest.mark.parametrize("host", ["xn--", "xn--a.example", "a" * 300, "é.example", "..", ""])
def test_odd_hosts_are_compared_too(host: str) -> None:
    assert lookalikes.compared(person(f"a@{host}"), person("b@us.example", id=2)) == ()
