"""Our own addresses, which are for ever: what is made from the base URL and the handle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """Every URI and page of one owner on one server.

    >>> ours = Addresses("https://us.example", "owner")
    >>> ours.actor, ours.page, ours.note("x1"), ours.note_page("x1")
    ... # doctest: +NORMALIZE_WHITESPACE
    ('https://us.example/users/owner', 'https://us.example/@owner',
     'https://us.example/users/owner/notes/x1', 'https://us.example/@owner/x1')
    """

    base_url: str
    handle: str

    @property
    def actor(self) -> str:
        return f"{self.base_url}/users/{self.handle}"

    @property
    def page(self) -> str:
        return f"{self.base_url}/@{self.handle}"

    @property
    def inbox(self) -> str:
        return f"{self.actor}/inbox"

    @property
    def shared_inbox(self) -> str:
        return f"{self.base_url}/inbox"

    @property
    def outbox(self) -> str:
        return f"{self.actor}/outbox"

    @property
    def followers(self) -> str:
        return f"{self.actor}/followers"

    @property
    def following(self) -> str:
        return f"{self.actor}/following"

    @property
    def featured(self) -> str:
        return f"{self.actor}/featured"

    @property
    def featured_tags(self) -> str:
        return f"{self.actor}/featured_tags"

    @property
    def followers_synchronization(self) -> str:
        return f"{self.actor}/followers_synchronization"

    @property
    def instance_actor(self) -> str:
        return f"{self.base_url}/actor"

    @property
    def instance_key(self) -> str:
        return f"{self.instance_actor}#main-key"

    def circle(self, public_id: str) -> str:
        """What stands for a circle in the address of a post. Nothing is served there."""
        return f"{self.actor}/circles/{public_id}"

    def flag(self, public_id: str) -> str:
        """The id of a report, which the server sends and not the owner."""
        return f"{self.instance_actor}/flags/{public_id}"

    def rsa_key(self, number: int) -> str:
        """The id of the owner's RSA key; each new pair has the next number."""
        return f"{self.actor}#main-key" + _numbered(number)

    def ed25519_key(self, number: int) -> str:
        """The id of the owner's Ed25519 key.

        >>> ours = Addresses("https://us.example", "o")
        >>> ours.ed25519_key(1), ours.ed25519_key(2)
        ('https://us.example/users/o#ed25519-key', 'https://us.example/users/o#ed25519-key-2')
        """
        return f"{self.actor}#ed25519-key" + _numbered(number)

    def note(self, public_id: str) -> str:
        """The id of a note (and of a message: they look alike from outside)."""
        return f"{self.actor}/notes/{public_id}"

    def note_page(self, public_id: str) -> str:
        """Where a person reads it."""
        return f"{self.page}/{public_id}"

    def activity(self, kind: str, public_id: str) -> str:
        """The id of an activity: `kind` is its word in lower case, `public_id` a fresh one."""
        return f"{self.actor}/{kind}/{public_id}"

    def stamp(self, kind: str, public_id: str) -> str:
        """The id of a document by which the owner agrees; `kind` is quote, reply or feature."""
        return f"{self.actor}/{kind}_authorizations/{public_id}"

    def tag(self, tag: str) -> str:
        """The page of a hashtag; `tag` comes without the #, percent-encoded if it must be."""
        return f"{self.base_url}/tags/{tag}"

    def emoji(self, shortcode: str) -> str:
        """The id of a custom emoji of the owner's."""
        return f"{self.base_url}/emojis/{shortcode}"

    def media(self, public_id: str) -> str:
        """Where a picture of the owner's lies."""
        return f"{self.base_url}/media/{public_id}"

    def public_id_in(self, uri: str) -> str | None:
        """Read the public id out of a note's id; None if `uri` is not one of ours.

        >>> Addresses("https://us.example", "o").public_id_in("https://us.example/users/o/notes/x")
        'x'
        """
        prefix = f"{self.actor}/notes/"
        rest = uri.removeprefix(prefix)
        return rest if uri.startswith(prefix) and rest and "/" not in rest else None


def _numbered(number: int) -> str:
    return "" if number == 1 else f"-{number}"
