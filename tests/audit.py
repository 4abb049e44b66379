"""Are vulnerabilities known of what we depend on? And the list of it all: `make audit`.

    python -m tests.audit DIRECTORY_OF_TOOLS

Writes dist/sbom.json (CycloneDX). Ends with 1 if something is known, with 2 if that could not be
found out: no answer is not the answer "none".
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
SBOM = ROOT / "dist" / "sbom.json"
SERVICES = ("pypi", "osv")  # the second is asked if the first cannot be reached
TIMEOUT_S = 600
NONE_KNOWN, KNOWN, NOT_FOUND_OUT = 0, 1, 2


def judged(report: str) -> tuple[int, list[str]]:
    """Return how pip-audit's JSON `report` is to be taken, and what to say of it.

    >>> judged('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}')
    (0, ['1 packages, nothing known of them.'])
    >>> judged('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}')[0]
    2
    >>> judged('')[0]
    2
    """
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return NOT_FOUND_OUT, ["The database of vulnerabilities could not be reached."]
    said = [
        f"{one['name']} {one['version']}: {vuln['id']}, mended in {vuln['fix_versions'] or 'none'}"
        for one in packages
        for vuln in one.get("vulns", ())
    ]
    missing = [one["name"] for one in packages if "skip_reason" in one]
    if missing:
        said.append(f"NOT AUDITED, the database did not answer for them: {', '.join(missing)}")
    if any(one.get("vulns") for one in packages):
        return KNOWN, said
    if missing or not packages:
        return NOT_FOUND_OUT, said
    return NONE_KNOWN, [f"{len(packages)} packages, nothing known of them."]


def _ask(tools: Path, lock: str) -> tuple[int, list[str]]:
    result = (NOT_FOUND_OUT, [""])
    for service in SERVICES:
        report = subprocess.run(
            [
                tools / "pip-audit", "--requirement", lock, "--disable-pip", "--require-hashes",
                "--vulnerability-service", service, "--format", "json", "--progress-spinner", "off",
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        result = judged(report.stdout)
        if result[0] != NOT_FOUND_OUT:
            break
    return result


def main(tools: Path) -> int:
    """Ask, write, say; return how to end."""
    SBOM.parent.mkdir(exist_ok=True)
    subprocess.run(
        [
            tools / "cyclonedx-py", "requirements", "requirements.lock",
            "--pyproject", "pyproject.toml", "--output-file", SBOM,
        ],
        cwd=ROOT, check=True, timeout=TIMEOUT_S, capture_output=True,
    )  # fmt: skip
    print(f"What it is made of is in {SBOM.relative_to(ROOT)}")  # noqa: T201 - a program
    worst = NONE_KNOWN
    for lock in LOCKS:
        verdict, said = _ask(tools, lock)
        print(f"{lock}:", *said, sep="\n  ")  # noqa: T201 - a program
        worst = KNOWN if KNOWN in (worst, verdict) else max(worst, verdict)
    return worst


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
