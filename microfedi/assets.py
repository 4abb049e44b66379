"""Where templates and static files lie, in a checkout and in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset_dir(name: str) -> Path:
    """Return the directory `name` ("templates" or "static").

    An installed wheel carries it inside the package; a checkout keeps it at the
    top of the repository, beside the package. The package is asked first, since
    what lies beside an installed package is other people's property.

    Raises: FileNotFoundError if neither place has it (a broken build).
    """
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"microfedi was built without its {name} directory")
