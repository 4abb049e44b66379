"""How the owner's pages look and in which language they speak; strangers get what they ask for."""

from dataclasses import dataclass
from enum import StrEnum

from microfedi.storage.database import Transaction


class Theme(StrEnum):
    """Light or dark; `SYSTEM` as the system says."""

    SYSTEM = ""
    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"


class Accent(StrEnum):
    """The colour of links and buttons."""

    BLUE = ""
    TEAL = "teal"
    GREEN = "green"
    AMBER = "amber"
    ROSE = "rose"
    GRAPHITE = "graphite"


class TextSize(StrEnum):
    """How large everything is."""

    SMALL = "small"
    NORMAL = ""
    LARGE = "large"
    LARGER = "larger"


@dataclass(frozen=True, slots=True)
class Looks:
    """What the owner chose. `shows_counts` is of others' posts: one sees one's own always."""

    theme: Theme = Theme.SYSTEM
    accent: Accent = Accent.BLUE
    text_size: TextSize = TextSize.NORMAL
    shows_counts: bool = False


def set_looks(tx: Transaction, looks: Looks) -> None:
    """Keep how pages look."""
    tx.run(
        """
        UPDATE owner
           SET theme = :theme, accent = :accent, text_size = :text_size,
               shows_counts = :shows_counts
        """,
        {
            "theme": looks.theme,
            "accent": looks.accent,
            "text_size": looks.text_size,
            "shows_counts": looks.shows_counts,
        },
    )


def set_language(tx: Transaction, language: str) -> None:
    """Keep the language of pages, as in `words.LANGUAGES`; "" as the browser asks."""
    tx.run("UPDATE owner SET language = :language", {"language": language})
