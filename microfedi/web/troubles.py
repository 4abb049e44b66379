"""Why another server did not take or give something, in words for the owner."""

from microfedi import words
from microfedi.errors import MicrofediError, RemoteGone
from microfedi.words import _


def of_lookup(error: MicrofediError) -> str:
    """Say why somebody or something that the owner named was not found."""
    if isinstance(error, RemoteGone):
        return _("Nothing is at that address: a letter may be wrong, or it was deleted.")
    return words.of(error)


def in_words(problem: str) -> str:
    """Say what a problem of a delivery means (`deliveries.PROBLEMS`, or a status); "" for none.

    >>> in_words("timeout"), in_words("502"), in_words("")
    ('It took too long to answer.', 'It has a problem of its own (502).', '')
    """
    match problem:
        case "":
            return ""
        case "dns":
            return _("Its name leads nowhere: it may be gone for good.")
        case "unreachable":
            return _("Nothing answers at its address.")
        case "tls":
            return _("No secure connection: its certificate may have run out.")
        case "timeout":
            return _("It took too long to answer.")
        case "private":
            return _("Its name leads to an address that is not public.")
        case "blocked":
            return _("You blocked it, or the settings leave it out.")
        case "owner":
            return _("You gave up on it.")
        case "401" | "403":
            return _("It does not accept what we send (%(status)s).", status=problem)
        case "404" | "410":
            return _("Whom it was for is not there any more (%(status)s).", status=problem)
        case "413":
            return _("That was more than it takes at once (%(status)s).", status=problem)
        case "408" | "425" | "429" | "503":
            return _("It is busy and asks us to wait (%(status)s).", status=problem)
    if problem.isdigit() and problem[0] == "5":
        return _("It has a problem of its own (%(status)s).", status=problem)
    if problem.isdigit():
        return _("It refused (%(status)s).", status=problem)
    return _("The connection broke off.")
