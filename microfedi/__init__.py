"""One person's own Fediverse account on one person's own small server."""

__version__ = "0.1.0"
