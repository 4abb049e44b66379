"""Every document has its expectation, and no code knows any of them by name."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import corpus
from tests.corpus.cases import CASES
from tests.corpus.expected import Effect, Refused
from tests.corpus.world import Signer, Worlds, load, people_in, read

pytestmark = pytest.mark.asyncio(loop_scope="package")
CODE = Path(__file__).parents[2] / "microfedi"
# Not documents: signatures of several, to compute with.
VECTORS = "vectors/signature-vectors"
# Names that stand for any host, in examples of all kinds.
ANY_HOST = re.compile(r"(.+\.)?(example(\.com|\.org|\.net)?|localhost|test|local)")
IN_DEVELOPMENT = [case for case in CASES if isinstance(case, Effect) and "http://" in case.by]


async def test_every_document_has_exactly_one_expectation() -> None:
    corpus.path_of("INDEX.md")
    files = {
        path.relative_to(corpus.CORPUS).with_suffix("").as_posix()
        for path in corpus.CORPUS.glob("*/*.json")
    }
    expected = Counter(case.file for case in CASES)

    assert [name for name, count in expected.items() if count > 1] == []
    assert set(expected) == files - {VECTORS}


async def test_what_is_refused_or_ignored_has_a_reason() -> None:
    for case in CASES:
        if isinstance(case, Refused) or (isinstance(case, Effect) and case.what == "nothing"):
            assert len(case.reason.split()) > 3, case.file


async def test_no_code_knows_a_document_or_a_host_of_the_corpus() -> None:
    corpus.path_of("INDEX.md")
    names = {case.file.rpartition("/")[2] for case in CASES if len(case.file) > 20}
    hosts = {
        host
        for case in CASES
        for uri in [load(case.file).get("id"), *people_in(load(case.file))]
        if "." in (host := urlsplit(uri).hostname or "" if isinstance(uri, str) else "")
        if not ANY_HOST.fullmatch(host)
    }
    assert len(hosts) > 20

    # A vocabulary may be named: others' words have the address of whoever thought of them.
    known = re.compile(
        rf"(?<![\w.-])({'|'.join(map(re.escape, hosts | names))})(?![\w-]|/ns|\.[a-z])"
    )
    for path in CODE.rglob("*.py"):
        assert known.findall(path.read_text("utf-8")) == [], path


@pytest.mark.parametrize("case", IN_DEVELOPMENT, ids=lambda case: case.file)
async def test_on_a_public_server_nobody_is_believed_who_speaks_plain_http(
    case: Effect, worlds: Worlds
) -> None:
    """Everything on the way could have put it into their mouth. Only in development they are."""
    await worlds.of("https://public.example/")
    world = worlds.public
    world.serve_all_of(load(case.file), read(case.file))
    before = await world.app.rows()

    assert await world.send(Signer(case.by).uri, read(case.file)) in (400, 401)

    await world.settle()
    after = await world.app.rows()
    assert {table for table in after if after[table] != before[table]} <= {"jobs"}
