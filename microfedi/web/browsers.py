"""What a browser is called by people: of what it says of itself, the two words that tell."""

import re

# In this order: most say that they are some of the others, too.
_BROWSERS = (
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Chrome", r"(?:Headless)?Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Version/[\d.]+ (?:Mobile/\w+ )?Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows NT"),
    ("Mac", r"Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def name(user_agent: str) -> str:
    """Return browser and system; what says neither stays as it is.

    It is what a client says of itself: good enough to tell one's own apart, and no proof.

    >>> name("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36")
    'Chrome, Linux'
    >>> name("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")
    'Firefox, Android'
    >>> name("curl/8.0")
    'curl/8.0'
    """
    found = [_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)]
    return ", ".join(one for one in found if one) if found[0] else user_agent


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((said for said, pattern in known if re.search(pattern, user_agent)), "")
