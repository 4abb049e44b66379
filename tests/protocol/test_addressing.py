"""Visibility to addressing and back."""

import pytest

from microfedi.protocol import addressing
from microfedi.protocol.vocab import PUBLIC, Visibility

FOLLOWERS = "https://a.example/users/alice/followers"
ALICE = "https://a.example/users/alice"
BOB = "https://b.example/users/bob"
CLEO = "https://c.example/users/cleo"
GROUP = "https://g.example/groups/chess"


@pytest.mark.parametrize(
    ("to", "cc", "expected"),
    [
        ([PUBLIC], [FOLLOWERS], Visibility.PUBLIC),
        (["Public"], [], Visibility.PUBLIC),
        ([BOB, "as:Public"], [PUBLIC], Visibility.PUBLIC),
        ([FOLLOWERS], ["as:Public"], Visibility.UNLISTED),
        ([], [PUBLIC], Visibility.UNLISTED),
        ([FOLLOWERS], [], Visibility.FOLLOWERS),
        ([BOB], [FOLLOWERS], Visibility.FOLLOWERS),
        ([BOB], [], Visibility.DIRECT),
        ([], [BOB], Visibility.DIRECT),
        ([BOB], [GROUP], Visibility.LIMITED),
        ([CLEO], [], Visibility.LIMITED),
        ([PUBLIC.lower()], [], Visibility.LIMITED),
        ([FOLLOWERS + "/"], [], Visibility.LIMITED),
    ],
)
def test_visibility_is_read_from_the_addressing(
    to: list[str], cc: list[str], expected: Visibility
) -> None:
    seen = addressing.visibility_of(to, cc, followers_uri=FOLLOWERS, persons={BOB})

    assert seen is expected


@pytest.mark.parametrize(
    ("visibility", "to", "cc"),
    [
        (Visibility.PUBLIC, (PUBLIC,), (FOLLOWERS, BOB)),
        (Visibility.UNLISTED, (FOLLOWERS,), (PUBLIC, BOB)),
        (Visibility.FOLLOWERS, (FOLLOWERS,), (BOB,)),
        (Visibility.DIRECT, (BOB,), ()),
        (Visibility.LIMITED, (BOB,), ()),
    ],
)
def test_a_visibility_is_written_as_all_servers_write_it(
    visibility: Visibility, to: tuple[str, ...], cc: tuple[str, ...]
) -> None:
    addressed = addressing.address(visibility, followers_uri=FOLLOWERS, mentioned=[BOB, BOB])

    assert addressed == (to, cc)


@pytest.mark.parametrize("visibility", [v for v in Visibility if v is not Visibility.LIMITED])
def test_what_is_written_is_read_back(visibility: Visibility) -> None:
    to, cc = addressing.address(visibility, followers_uri=FOLLOWERS, mentioned=[BOB])
    seen = addressing.visibility_of(to, cc, followers_uri=FOLLOWERS, persons={BOB})

    assert seen is visibility


@pytest.mark.parametrize(
    ("to", "cc", "actors", "followers"),
    [
        ([PUBLIC], [FOLLOWERS, BOB], (BOB,), True),
        ([BOB, ALICE], [BOB, CLEO], (BOB, CLEO), False),
        (["as:Public"], [], (), False),
        ([], [], (), False),
    ],
)
def test_recipients_are_each_named_once_and_never_the_owner(
    to: list[str], cc: list[str], actors: tuple[str, ...], followers: bool
) -> None:
    found = addressing.recipients(to, cc, followers_uri=FOLLOWERS, owner_uri=ALICE)

    assert found == addressing.Recipients(actors, followers)
