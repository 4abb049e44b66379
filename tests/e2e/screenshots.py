"""Pictures of every page, to be looked at: `python -m tests.e2e.screenshots [DIRECTORY]`."""

import sys
import tempfile
from pathlib import Path

from tests.e2e import browsing, looking, scene
from tests.e2e.looking import LOOKS


def main(target: Path) -> None:
    """Write every page, in every look, as {look}/{name}.png."""
    with (
        tempfile.TemporaryDirectory() as directory,
        browsing.chromium() as browser,
        scene.built(browser, Path(directory)) as world,
    ):
        for look in LOOKS:
            (target / look.name).mkdir(parents=True, exist_ok=True)
            with looking.looking(browser, world, look) as visit:
                for view in world.views:
                    page, _ = visit(view)
                    file = target / look.name / f"{view.name}.png"
                    page.screenshot(path=file, full_page=True)
    sys.stdout.write(f"{len(LOOKS) * len(world.views)} pictures in {target}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
