"""Every error that microfedi raises on purpose.

    MicrofediError
    ├── ProtocolError             the other side is wrong; asking again changes nothing
    │   ├── MalformedDocument     not a document that we can read                 400
    │   ├── BadSignature          unsigned, wrongly signed, or not theirs to say  401
    │   └── NotAuthorized         well signed, but not theirs to do               403
    ├── RemoteError               the other side is away; mostly worth another try
    │   ├── RemoteGone            it answered 404 or 410: the thing is not there
    │   ├── RemoteRefused         it answered with another 4xx
    │   └── ForbiddenAddress      never connected to: a private address, plain http, an odd port
    ├── KeyUnavailable            the signer's key could not be fetched now       503
    ├── InvalidInput              the owner can correct it: names the field       422
    │   └── WrongCredentials      password or code is wrong; never says which     401
    ├── TooBusy                   too many tries or too much to do; wait          429
    ├── DiskFull                  no room to keep anything new; it passes        503
    ├── Locked                    messages are sealed: their owner opens them     401
    ├── NotFound                  nothing here, or nothing for this asker         404
    ├── Gone                      something public that was deleted               410
    └── ConfigError               the server cannot start like this; says what to change

Nobody answers with a traceback: http/problems.py turns these into responses, and nothing else does.

A message is written in English with its values by name, "At most %(limit)s characters": logs show
it filled in, pages translate it first (words.of).
"""


class MicrofediError(Exception):
    """The root: whatever we raise on purpose. `values` stand in `message` as `%(name)s`."""

    def __init__(self, message: str = "", /, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.template = message
        self.values = values


class ProtocolError(MicrofediError):
    """The other side sent something that will never be right. Never retried."""


class MalformedDocument(ProtocolError):
    """A body that is no ActivityPub document; the message says what was expected."""


class BadSignature(ProtocolError):
    """A request that is unsigned or wrongly signed, or whose signer is not who it speaks for."""


class NotAuthorized(ProtocolError):
    """A well-signed wish about something that is not the signer's."""


class RemoteError(MicrofediError):
    """Another server did not give us what we asked for; trying later may help.

    `status` is its HTTP status, None if there was no answer at all.
    `retry_after_s` is what its Retry-After asked for, in seconds. `why` is what failed, in a word:
    "dns", "unreachable", "tls", "timeout", or "broken" for everything else.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        why: str = "broken",
        **values: object,
    ) -> None:
        super().__init__(message, **values)
        self.status = status
        self.retry_after_s = retry_after_s
        self.why = why


class RemoteGone(RemoteError):
    """404 or 410: what we asked for is not there (`status` tells which)."""


class RemoteRefused(RemoteError):
    """Another 4xx: it does not want to give this to us."""


class RemoteTooLarge(RemoteRefused):
    """There is more of it than we take."""


class ForbiddenAddress(RemoteError):
    """A URL or an address that we never connect to. Trying again changes nothing."""


class KeyUnavailable(MicrofediError):
    """The signer's key could not be fetched in the time we have; the sender should try later."""


class InvalidInput(MicrofediError):
    """Something that the owner typed and can correct.

    `field` is the name of the form field, "" when it is about the whole form.
    """

    def __init__(self, field: str, message: str, /, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class WrongCredentials(InvalidInput):
    """A password, code or both were wrong. Which of them, nobody is told."""


class TooBusy(MicrofediError):
    """Too many tries, or too much of something slow at once. `retry_after_s` is in seconds."""

    def __init__(self, message: str, /, *, retry_after_s: int, **values: object) -> None:
        super().__init__(message, **values)
        self.retry_after_s = retry_after_s


class DiskFull(MicrofediError):
    """There is no room on the disk for what should be kept. Nothing of it was."""

    def __init__(self) -> None:
        super().__init__("the disk is full")


class Locked(MicrofediError):
    """The message vault is not open; `str()` says what was wrong with a try to open it."""


class NotFound(MicrofediError):
    """Nothing here, or nothing that this asker may see: the two must not be told apart."""


class Gone(MicrofediError):
    """Something that was public and has been deleted."""


class ConfigError(MicrofediError):
    """The server cannot run with what it was given; the message says what to change."""
