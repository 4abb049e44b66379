"""Everything that reads bytes of strangers, fed with what nobody meant: `make fuzz MINUTES=20`.

A target may refuse with the errors that it promises; anything else it raises is a finding, and so
is a call of more than `SLOW_S` seconds. An input is made from the target's examples by a chance
with a known seed, so that target and number are all that is needed to make it again:

    python -m tests.fuzzing again sanitize 12345
"""

import asyncio
import base64
import contextlib
import io
import json
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cbor2
from starlette.requests import Request as HttpRequest

from microfedi.account import passkeys, recovery_key
from microfedi.account.passkeys import Challenges
from microfedi.config import Config
from microfedi.errors import InvalidInput, MalformedDocument, MicrofediError, ProtocolError
from microfedi.http import forms, ranges
from microfedi.imagework import reencode, remux
from microfedi.protocol import (
    activities,
    alternates,
    answers,
    instants,
    jcs,
    kinds,
    loads,
    lookalikes,
    media_types,
    netguard,
    nodefacts,
    pagecards,
    parse,
    proofs,
    publickeys,
    relme,
    sanitize,
    signatures,
    structured,
    synchronization,
    uris,
    webfinger,
    webpush,
)
from microfedi.protocol.filtering import Filter, Filters, Place
from microfedi.protocol.vocab import PublicKey
from microfedi.storage.passkeys import Passkey
from microfedi.storage.sealed import Sealer
from microfedi.web import searching
from tests import authenticator
from tests.authenticator import Authenticator
from tests.factories import NOON
from tests.films import a_film

SLOW_S = 2.0  # a page or a worker would stand still so long
MAX_BYTES = 20_000  # of an example; that what is too long is refused has tests of its own

ODD = (
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\\ud800", b"%00",
    b"<", b">", b"<!--", b"]]>", b"<![CDATA[", b"&#x110000;", b"&lt;", b"'", b'"', b"\\", b"{",
    b"}", b"[", b"]", b",", b":", b";", b"=", b"?", b"/", b"//", b"@", b"#", b"-", b"0", b"-1",
    b"99999999999999999999", b"1e999", b"NaN", b"null", b"true", b"\r\n", b"\n", b"\t", b" ",
    b"https://", b"http://[::1]/", b"xn--", b"\xc4\xb0", b"\xcc\x81" * 50, b"a" * 500, b"[" * 200,
    b'"@id":', b'"type":"Note"', b"as:Public", b"T25:61:61Z", b"9999-12-31T23:59:59-14:00",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What reads, from which examples inputs are made, and what it may refuse with."""

    read: Callable[[bytes], object]
    examples: Callable[[], Sequence[bytes]]
    refuses: tuple[type[Exception], ...] = ()


def mutated(examples: Sequence[bytes], chance: random.Random) -> bytes:
    """Return an example that a chance has changed in one to eight places."""
    made = bytearray(chance.choice(examples))
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(made))
        match chance.randrange(7):
            case 0 if made:
                made[at % len(made)] ^= 1 << chance.randrange(8)
            case 1 if made:
                made[at % len(made)] = chance.randrange(256)
            case 2:
                made[at:at] = chance.choice(ODD)
            case 3:
                del made[at : at + chance.randint(1, 20)]
            case 4:
                made[at:at] = made[at : at + chance.randint(1, 60)] * chance.randint(1, 4)
            case 5:
                other = chance.choice(examples)
                start = chance.randint(0, len(other))
                made[at : at + 30] = other[start : start + chance.randint(1, 60)]
            case _:
                made[at : at + chance.randint(1, 8)] = chance.choice(ODD)
    return bytes(made)


# --- documents


@cache
def _documents() -> Sequence[bytes]:
    directory = Path(__file__).parent / "data"
    found = [path.read_bytes() for path in sorted(directory.glob("*.json"))]
    corpus = Path(__file__).parents[2] / "shared" / "corpus"
    found += [path.read_bytes() for path in sorted(corpus.glob("*/*.json"))]
    return [one for one in found if len(one) < MAX_BYTES]


def _document(data: bytes) -> None:
    document = loads.document(data)
    for read in (activities.read, parse.actor, parse.note, parse.stamp, parse.collection):
        with contextlib.suppress(MalformedDocument):
            read(document)
    with contextlib.suppress(ProtocolError):
        parse.keys(document)
    kinds.type_of(document)
    for proof in proofs.read(document, now=NOON):
        key = PublicKey(proof.key_uri, "https://b.example/u", "ed25519", _PEM)
        proofs.verify(document, proof, key)


def _jcs(data: bytes) -> None:
    document = loads.document(data)
    try:
        again = jcs.canonical(document)
    except ValueError:
        return
    assert jcs.canonical(json.loads(again)) == again


def _jrd(data: bytes) -> None:
    document = loads.document(data)
    webfinger.subject_of(document)
    webfinger.actor_uri_in(document)
    link = nodefacts.link_in(document)
    assert link is None or isinstance(link, str)
    nodefacts.read(document)


# --- text


def _as_text(read: Callable[[str], object], data: bytes) -> object:
    return read(data.decode("utf-8", "replace"))


def _header(read: Callable[[str], object], data: bytes) -> object:
    return read(data.decode("latin-1"))


_WEB = re.compile(r"\s*https?:", re.IGNORECASE)  # as browsers read it: without line breaks


class _Seen(HTMLParser):
    """Notes what must not be in sanitized HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "svg", "math", "img", "form", "base", "link"):
            self.odd.append(tag)
        for name, value in attrs:
            is_link = name in ("href", "src")
            if name.startswith("on") or name in ("style", "id", "srcset"):
                self.odd.append(name)
            elif is_link and not _WEB.match(re.sub(r"[\t\r\n]", "", value or "")):
                self.odd.append(f"{name}={value}")


def _html(text: str) -> None:
    kept = sanitize.html(text, mentions={"https://b.example/@x": "@x@b.example"})
    # As a browser may read it: what we let through, and no tag, attribute or scheme but these.
    for shown in (str(kept), str(sanitize.html(kept))):
        reader = _Seen()
        reader.feed(shown)
        assert not reader.odd, reader.odd
    sanitize.links_in(kept)
    sanitize.pages_in(kept)
    sanitize.text(text)
    sanitize.plain(text, limit=100)
    sanitize.username(text)
    sanitize.shortcodes_in(kept)
    sanitize.with_emojis(kept, {"blob": "https://b.example/blob.png"})
    sanitize.without_quote_link(kept)


def _page(text: str) -> None:
    pagecards.read(text, "https://b.example/page")
    relme.links_back(text, "https://b.example/page", frozenset({"https://us.example/@maya"}))
    alternates.in_page(text)


def _uri(text: str) -> None:
    if uris.is_acceptable(text):
        uris.origin(text), uris.host(text), uris.authority(text), uris.without_fragment(text)
        uris.same_origin(text, "https://b.example/")
        uris.belongs_to(text, "https://us.example")
    uris.tidy(text)
    uris.ascii_host(text)


def _url(text: str) -> None:
    netguard.literal_address(text)
    netguard.host_of(text)
    target = netguard.target_of(text, development=False)
    assert target.scheme == "https"
    address = netguard.literal_address(target.host)
    assert address is None or netguard.is_public_address(address)


def _lookalike(text: str) -> None:
    lookalikes.skeletons(text)
    lookalikes.marked(text, "maya@us.example")
    lookalikes.distance(text[:64], "maya", 2)


def _search(text: str) -> None:
    searching.understood(text, zone=UTC, now=NOON)


def _instant(text: str) -> None:
    found = instants.from_wire(text)
    if found is not None:
        assert instants.from_text(instants.to_text(found)) is not None


def _some_header(text: str) -> None:
    for read in (structured.inputs, structured.byte_sequences, structured.cavage_params):
        with contextlib.suppress(ValueError):
            read(text)
    synchronization.read(text)
    alternates.in_header(text)
    answers.media_type(text)
    answers.retry_after_s({"retry-after": text, "date": text})


def _signed(data: bytes) -> None:
    lines = data.decode("latin-1").split("\n")
    headers = tuple(
        (name.strip().lower(), value.strip())
        for name, _, value in (x.partition(":") for x in lines)
    )
    request = signatures.Request("POST", "/inbox", headers, b"{}")
    claims = signatures.read(request, origin="https://us.example", now=NOON)
    assert claims


def _public_key(text: str) -> None:
    publickeys.from_pem("https://b.example/u#k", "https://b.example/u", text)
    publickeys.from_multibase("https://b.example/u#k", "https://b.example/u", text)


def _push(text: str) -> None:
    for size in (16, 65):
        with contextlib.suppress(ProtocolError):
            webpush.public_key(webpush.read_base64(text, size))
    webpush.is_signed(text, b"\4" + b"\1" * 64)


def _recovery(text: str) -> None:
    recovery_key.normalised(text)


# --- requests


def _scope(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"",
        "headers": list(headers), "client": ("192.0.2.1", 1), "server": ("us.example", 443),
        "scheme": "https", "http_version": "1.1", "state": {},
    }  # fmt: skip


def _range(data: bytes) -> None:
    value = data.replace(b"\n", b" ").replace(b"\r", b" ")
    scope = {**_scope([(b"range", value), (b"if-range", value)]), "method": "GET"}
    file = ranges.File(
        media_type="image/webp",
        size_bytes=1000,
        etag='"x"',
        part=lambda start, stop: iter([b"x" * (stop - start)]),
    )
    answer = asyncio.run(ranges.respond(HttpRequest(scope), file, {}))
    assert answer.status_code in (200, 206, 416)


def _form(data: bytes) -> None:
    async def read() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        kind = b"multipart/form-data; boundary=x"
        if not data.startswith(b"--"):
            kind = b"application/x-www-form-urlencoded"
        request = HttpRequest(_scope([(b"content-type", kind)]), receive)
        try:
            form = await forms.read(request)
            forms.text(form, "a"), forms.row_id(form, "b")
        finally:
            await forms.close(request)

    asyncio.run(read())


# --- passkeys: what a browser answers, as JSON, and the bytes within

_HERE = Config(base_url="https://us.example")


@cache
def _device() -> Authenticator:
    return Authenticator(_HERE.base_url, "us.example", user=authenticator.text(b"us"))


def _challenge(purpose: str) -> tuple[Challenges, bytes]:
    challenges = Challenges(Sealer(bytes(32)))
    return challenges, challenges.new(purpose, "a session", NOON)


def _made(answer: str, challenges: Challenges) -> None:
    with contextlib.suppress(InvalidInput):
        passkeys.made(_HERE, challenges, answer, bound_to="a session", now=NOON)


def _proven(answer: str, challenges: Challenges) -> None:
    device = _device()
    cose = cbor2.loads(_attestation())["authData"][37 + 16 + 2 + len(device.credential) :]
    passkey = Passkey(1, device.credential, cose, 0, "Phone", False, NOON, None)
    with contextlib.suppress(InvalidInput):
        passkeys.credential_of(answer)
        passkeys.proven(
            _HERE,
            challenges,
            answer,
            passkey,
            purpose="login",
            bound_to="a session",
            user=b"us",
            now=NOON,
        )


@cache
def _attestation() -> bytes:
    made = json.loads(
        _device().make(passkeys.to_make(_HERE, b"", user=b"us", handle="us", known=()))
    )
    return authenticator.data(made["response"]["attestationObject"])


def _passkey_json(data: bytes) -> None:
    """The answer's JSON, honest but for one change."""
    challenges, challenge = _challenge("make")
    options = passkeys.to_make(_HERE, challenge, user=b"us", handle="us", known=())
    _made(_changed(_device().make(options), data), challenges)
    challenges, challenge = _challenge("login")
    _proven(_changed(_device().use(passkeys.to_use(_HERE, challenge)), data), challenges)


def _changed(answer: str, data: bytes) -> str:
    """Return the answer with one part of it exchanged for bytes, as text and as base64."""
    whole = json.loads(answer)
    chance = random.Random(data)  # noqa: S311 - the same for the same data
    part = chance.choice((whole, whole["response"], whole["clientExtensionResults"]))
    key = chance.choice(sorted(part) or ["prf"])
    texts = (data.decode("utf-8", "surrogateescape"), authenticator.text(data))
    odd: Sequence[Any] = (*texts, None, 7, [texts[0]], {"results": {"first": texts[1]}})
    part[key] = chance.choice(odd)
    return json.dumps(whole) if chance.random() < 0.9 else texts[0]


def _attested(data: bytes) -> None:
    """A new key, in CBOR."""
    challenges, challenge = _challenge("make")
    options = passkeys.to_make(_HERE, challenge, user=b"us", handle="us", known=())
    whole = json.loads(_device().make(options))
    whole["response"]["attestationObject"] = authenticator.text(data)
    _made(json.dumps(whole), challenges)


def _asserted(data: bytes) -> None:
    """What an authenticator says of itself, and its signature: both are changed."""
    challenges, challenge = _challenge("login")
    whole = json.loads(_device().use(passkeys.to_use(_HERE, challenge)))
    half = len(data) // 2
    whole["response"] |= {
        "authenticatorData": authenticator.text(data),
        "signature": authenticator.text(data[half:]),
    }
    _proven(json.dumps(whole), challenges)


# --- what the owner filters


def _filtered(text: str) -> None:
    words, _line, said = text.partition("\n")
    one = Filter(1, "Words", (words, said[:40]), frozenset(Place))
    for is_whole in (True, False):
        Filters([replace(one, whole_words=is_whole)]).verdict(Place.HOME, [said, text], NOON)


# --- files


@cache
def _pictures() -> Sequence[bytes]:
    from PIL import Image

    made = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        for mode in ("RGB", "L"):
            target = io.BytesIO()
            picture = Image.effect_noise((40, 30), 80).convert(mode)
            more = [picture.rotate(90 * n) for n in (1, 2)] if kind != "JPEG" else []
            extra = {"save_all": True, "append_images": more} if more else {}
            picture.save(target, kind, **extra)
            made.append(target.getvalue())
    return made


@cache
def _films() -> Sequence[bytes]:
    ways: Sequence[dict[str, Any]] = (
        {"kind": "mp4"},
        {"kind": "webm", "video": "libvpx", "audio": "libopus"},
        {"kind": "mp3", "video": None, "audio": "libmp3lame"},
        {"kind": "ogg", "video": None, "audio": "libopus"},
        {"kind": "flac", "video": None, "audio": "flac"},
        {"kind": "wav", "video": None, "audio": "pcm_s16le"},
    )
    return [a_film(seconds=1, size=(32, 32), **way) for way in ways]


def _sniffed(data: bytes) -> None:
    media_types.sniff(data)
    media_types.image_size(data)
    media_types.frame_count(data)
    media_types.mp3_frame_bytes(data)


def _picture(data: bytes) -> None:
    asyncio.run(reencode(data, purpose="post"))


def _film(data: bytes) -> None:
    asyncio.run(remux(io.BytesIO(data)))


_PEM = (
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n"
)
_HTML = (
    b'<p>Hi <b>you</b> <a href="https://b.example/@x" class="mention">@<span>x</span></a></p>',
    b"<ul><li>1<pre><code>&lt;a&gt;</code></pre><blockquote>q</blockquote></ul><br>:blob:",
    b'<a rel="tag" class="mention hashtag" href="https://b.example/tags/a">#<span>a</span></a>',
    b'<script>x</script><svg><style><img src=x onerror=1></style></svg><math><mi xlink:href="x">',
    b'<p class="quote-inline">RE: <a href="https://b.example/1">1</a></p><ruby>a<rt>b</rt></ruby>',
)
_PAGE = (
    b'<!doctype html><html><head><title>T &amp; x</title><meta property="og:title" content="A">'
    b'<meta name="description" content=\'B\'><link rel="me" href="https://us.example/@maya">'
    b'<link rel="alternate" type="application/activity+json" href="/1"><base href="//x/">'
    b'<meta property="og:image" content="/a.png"></head><body><a rel="me nofollow" href="/">',
)
_URLS = (
    b"https://b.example/users/x?y=z#main-key", b"https://b.example:8443/", b"https://[::ffff:7f00:1]/",
    b"https://user:pw@127.1/", b"https://xn--bcher-kva.example/%2e%2e/", b"http://0x7f000001/",
    "https://bücher.example/ä".encode(), b"acct:x@b.example", b"https://[64:ff9b::1.2.3.4]/",
)  # fmt: skip
_CAVAGE = (
    b'signature: keyId="https://b.example/u#main-key",algorithm="rsa-sha256",headers="(request-target)'
    b' host date digest",signature="YWJj"\nhost: us.example\ndate: Sun, 22 Nov 2026 12:00:00 GMT\n'
    b"digest: SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
)
_RFC9421 = (
    b'signature-input: sig1=("@method" "@target-uri" "content-digest");created=1795348800;keyid='
    b'"https://b.example/u#main-key";alg="rsa-v1_5-sha256"\nsignature: sig1=:YWJj:\n'
    b"host: us.example\n"
    b"content-digest: sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"
)
_HEADERS = (
    *(line.partition(b": ")[2] for one in (_CAVAGE, _RFC9421) for line in one.split(b"\n")),
    b'collectionId="https://b.example/f", url="https://b.example/s", digest="' + b"0" * 64 + b'"',
    b'</1>; rel="alternate"; type="application/activity+json", <x>; rel=a', b"120",
    b"Sun, 22 Nov 2026 12:00:00 GMT", b'application/ld+json; profile="https://x"',
)  # fmt: skip
_FORMS = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhello\r\n--x\r\nContent-Disposition: '
    b'form-data; name="f"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n',
    b"a=hello+you%20%e2%82%ac&b=12&c=&b=%zz",
)
_SEARCHES = (
    b'from:@maya@us.example "two words" -not has:media before:2026-01-01 is:reply lang:de #tag',
    b"during:2026-11 in:library NEAR(a b, 5) a* OR (b AND c) ^x {y}: in:home after:yesterday",
)
_JRDS = (
    b'{"subject":"acct:x@b.example","aliases":["https://b.example/@x"],"links":[{"rel":"self","type":'
    b'"application/activity+json","href":"https://b.example/users/x"}]}',
    b'{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.1","href":"https://b.example/n"}]}',
    b'{"version":"2.1","software":{"name":"Mastodon","version":"4.5"},"openRegistrations":false,'
    b'"usage":{"users":{"total":1,"activeMonth":1}},"protocols":["activitypub"],"metadata":{}}',
)
_KEYS = (
    _PEM.encode(),
    b"z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQXJPt4swbTQ2",
)
_POINT = base64.urlsafe_b64encode(b"\4" + bytes(range(64)))

TARGETS: dict[str, Target] = {
    "documents": Target(_document, _documents, (ProtocolError,)),
    "jcs": Target(_jcs, _documents, (ProtocolError,)),
    "jrds": Target(_jrd, lambda: _JRDS, (ProtocolError,)),
    "handles": Target(
        partial(_as_text, webfinger.parse_handle), lambda: (b"@x@b.example", b"x@y:80")
    ),
    "sanitize": Target(partial(_as_text, _html), lambda: _HTML),
    "pages": Target(partial(_as_text, _page), lambda: (*_PAGE, *_HTML)),
    "uris": Target(partial(_as_text, _uri), lambda: _URLS),
    "netguard": Target(partial(_as_text, _url), lambda: _URLS, (MicrofediError,)),
    "lookalikes": Target(partial(_as_text, _lookalike), lambda: ("mäyа@us.example".encode(), b"m")),
    "search": Target(partial(_as_text, _search), lambda: _SEARCHES, (InvalidInput,)),
    "instants": Target(
        partial(_as_text, _instant),
        lambda: (b"2026-11-22T12:00:00.123456Z", b"2026-11-22T12:00:00+05:45", b"2026-11-22"),
    ),
    "headers": Target(partial(_header, _some_header), lambda: _HEADERS),
    "signatures": Target(_signed, lambda: (_CAVAGE, _RFC9421), (ProtocolError,)),
    "keys": Target(partial(_as_text, _public_key), lambda: _KEYS),
    "push": Target(
        partial(_as_text, _push), lambda: (_POINT, b"ZXlKaGJHY2lPaUpGVXpJMU5pSjk.e30.x")
    ),
    "recovery_key": Target(partial(_as_text, _recovery), lambda: (recovery_key.new().encode(),)),
    "passkeys": Target(_passkey_json, lambda: (b"us", b"https://us.example", bytes(37))),
    "attestations": Target(_attested, lambda: (_attestation(),)),
    "assertions": Target(_asserted, lambda: (_device()._data(0), _attestation())),
    "filters": Target(
        partial(_as_text, _filtered), lambda: ("Sprüche\nlauter SPRÜCHE".encode(), b"a b\na  b")
    ),
    "ranges": Target(
        _range, lambda: (b"bytes=0-99", b"bytes=-5", b"bytes=9-", b'"x"', b"bytes=0-1,5-6")
    ),
    "forms": Target(_form, lambda: _FORMS, (MicrofediError,)),
    "sniffing": Target(_sniffed, lambda: (*_pictures(), *_films())),
    "pictures": Target(_picture, _pictures, (InvalidInput,)),
    "films": Target(_film, _films, (InvalidInput,)),
}
SLOW = ("pictures", "films")  # each in a child process of its own


def attempt(name: str, number: int) -> str:
    """Feed a target with its input of that number; return what is wrong, "" if nothing is."""
    target = TARGETS[name]
    data = mutated(target.examples(), random.Random(f"{name} {number}"))  # noqa: S311
    began = time.process_time()
    try:
        target.read(data)
    except target.refuses:
        pass
    except Exception:
        return f"{name} {number}: {data!r}\n{traceback.format_exc(limit=-4)}"
    took_s = time.process_time() - began
    return f"{name} {number}: {took_s:.1f} s for {data!r}" if took_s > SLOW_S else ""


def main(minutes: float) -> int:
    """Try every target in turn for so long; print what is found."""
    end = time.monotonic() + timedelta(minutes=minutes).total_seconds()
    number, found = time.time_ns() % 10**12, 0
    tries = dict.fromkeys(TARGETS, 0)
    while time.monotonic() < end:
        for name in TARGETS:
            for _ in range(2 if name in SLOW else 200):
                number += 1
                tries[name] += 1
                if problem := attempt(name, number):
                    found += 1
                    print(problem, flush=True)  # noqa: T201 - a program
    print(" ".join(f"{name}={count}" for name, count in tries.items()))  # noqa: T201 - a program
    print(f"found {found}")  # noqa: T201 - a program
    return 1 if found else 0


if __name__ == "__main__":
    if sys.argv[1] == "again":
        print(attempt(sys.argv[2], int(sys.argv[3])) or "nothing wrong")  # noqa: T201 - a program
    else:
        sys.exit(main(float(sys.argv[1])))
