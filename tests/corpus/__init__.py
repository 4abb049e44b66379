"""Where documents of other software lie: required in CI, a loud skip elsewhere."""

import os
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


def path_of(name: str) -> Path:
    """Return the path of a file of the corpus, or skip (fail in CI) if it is not there."""
    path = CORPUS / name
    if not path.exists():
        reason = f"the corpus is not beside this checkout: {path} is missing"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
