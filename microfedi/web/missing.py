"""What of a thread could not be had, in words."""

from collections.abc import Iterable

from microfedi.storage.threads import Problem

_WHY = {
    "": "nobody knows why",
    "silent": "{host} did not answer",
    "failed": "{host} had a problem of its own",
    "refused": "{host} does not show {them} to us",
    "gone": "{host} does not have {them} any more",
    "blocked": "{host} is not asked",
    "unreadable": "what {host} sent cannot be read",
    "limit": "{host} would have been asked too much at once",
}


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
            return "What this thread answers was deleted."
        case "blocked":
            return "What this thread answers is left out: its author or server is not let in here."
        case "limit":
            return "This thread goes back further than is fetched at once."
    return f"What this thread answers could not be fetched: {_why(problem, 'it')}."


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
    'Where b.example lists replies could not be read: b.example does not show them to us.'
    """
    if problem.what == "more":
        return "There may be more replies than are fetched at once."
    if problem.what == "list":
        return f"Where {problem.host} lists replies could not be read: {_why(problem, 'them')}."
    is_one = problem.count == 1
    counted = "1 reply" if is_one else f"{problem.count:,} replies"
    if problem.why == "gone":
        return f"{counted} {'is' if is_one else 'are'} no longer at {problem.host}."
    return f"{counted} could not be fetched: {_why(problem, 'it' if is_one else 'them')}."


def _why(problem: Problem, them: str) -> str:
    return _WHY[problem.why].format(host=problem.host, them=them)
