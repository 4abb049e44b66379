"""What of a thread could not be had, in words."""

from collections.abc import Iterable

from microfedi.storage.threads import Problem
from microfedi.words import _, ngettext


def above(problems: Iterable[Problem]) -> str:
    """Say why what the thread answers is not there; "" if nothing is known to be missing.

    >>> above([Problem("above", "gone", "b.example")])
    'What this thread answers was deleted.'
    """
    problem = next((one for one in problems if one.what == "above"), None)
    if problem is None:
        return ""
    match problem.why:
        case "gone":
            return _("What this thread answers was deleted.")
        case "blocked":
            return _(
                "What this thread answers is left out: its author or server is not let in here."
            )
        case "limit":
            return _("This thread goes back further than is fetched at once.")
    return _("What this thread answers could not be fetched: %(why)s.", why=_why(problem))


def below(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Return a sentence for each kind of thing that is missing among the replies.

    >>> below([Problem("replies", "silent", "b.example", 3)])
    ('3 replies could not be fetched: b.example did not answer.',)
    """
    return tuple(_below(one) for one in problems if one.what != "above")


def _below(problem: Problem) -> str:
    """Say what is missing among the replies.

    >>> _below(Problem("replies", "gone", "b.example", 1))
    '1 reply is no longer at b.example.'
    >>> _below(Problem("list", "refused", "b.example", 2))
    'Where b.example lists replies could not be read: b.example does not show this to us.'
    """
    if problem.what == "more":
        return _("There may be more replies than are fetched at once.")
    if problem.what == "list":
        return _(
            "Where %(host)s lists replies could not be read: %(why)s.",
            host=problem.host,
            why=_why(problem),
        )
    if problem.why == "gone":
        return ngettext(
            "%(num)s reply is no longer at %(host)s.",
            "%(num)s replies are no longer at %(host)s.",
            problem.count,
            host=problem.host,
        )
    return ngettext(
        "%(num)s reply could not be fetched: %(why)s.",
        "%(num)s replies could not be fetched: %(why)s.",
        problem.count,
        why=_why(problem),
    )


def _why(problem: Problem) -> str:
    host = problem.host
    match problem.why:
        case "silent":
            return _("%(host)s did not answer", host=host)
        case "failed":
            return _("%(host)s had a problem of its own", host=host)
        case "refused":
            return _("%(host)s does not show this to us", host=host)
        case "gone":
            return _("%(host)s does not have this any more", host=host)
        case "blocked":
            return _("%(host)s is not asked", host=host)
        case "unreadable":
            return _("what %(host)s sent cannot be read", host=host)
        case "limit":
            return _("%(host)s would have been asked too much at once", host=host)
    return _("nobody knows why")
