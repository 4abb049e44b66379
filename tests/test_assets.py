"""Where templates and static files lie."""

import pytest

from microfedi import assets


@pytest.mark.parametrize("name", ["templates", "static"])
def test_a_checkout_keeps_its_assets_beside_the_package(name: str) -> None:
    assert assets.asset_dir(name).is_dir()


def test_a_directory_that_was_not_packed_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="without its nonsense directory"):
        assets.asset_dir("nonsense")
