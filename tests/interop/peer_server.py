"""The Fedify peer, as a Python object: what it is told to do, and what it says has arrived."""

import contextlib
import json
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest

from tests.interop import installed, processes
from tests.interop.tls import Authority

Scheme = Literal["rfc9421", "cavage"]

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer. `origin` is its address to the world, `alice` the one person on it."""

    origin: str
    control: httpx2.Client

    @property
    def alice(self) -> str:
        """Her id."""
        return f"{self.origin}/users/alice"

    @property
    def handle(self) -> str:
        """Her handle, with the port."""
        return f"@alice@{self.origin.partition('://')[2]}"

    def tell(self, what: str, document: dict[str, Any] | None = None, /, **values: str) -> Any:
        """Have the peer do something, or tell something, perhaps about a document."""
        if document is None:
            answer = self.control.get(f"/_/{what}", params=values)
        else:
            answer = self.control.post(f"/_/{what}", params=values, content=json.dumps(document))
        if answer.status_code != 200:
            pytest.fail(f"the peer could not {what} {values}: {answer.text}")
        return answer.json()

    def put(self, document: dict[str, Any], **how: str) -> str:
        """Have the peer serve an object, written with Fedify's classes; `raw` if it has none."""
        uri: str = self.tell("put", document, **how)
        return uri

    def send(self, document: dict[str, Any], *, to: str, **how: str) -> str:
        """Have the peer send an activity, written and signed by Fedify; return its id.

        `as` is who acts, if not Alice; `whole` sends along an object that was `put`; `raw` is for
        what Fedify has no class for, and leaves it the signature alone.
        """
        uri: str = self.tell("send", document, to=to, **how)
        return uri

    def create(self, document: dict[str, Any], *, to: str, **how: str) -> str:
        """Have the peer serve an object and send a Create of it; return the object's id."""
        by = {key: value for key, value in how.items() if key in ("as", "raw")}
        uri = self.put({"to": PUBLIC, **document}, **by)
        self.send({"type": "Create", "object": uri, "to": PUBLIC}, to=to, whole="", **how)
        return uri

    def losses(self, documents: Iterable[dict[str, Any]]) -> set[str]:
        """Return what documents lose on their way through JSON-LD contexts and Fedify's classes.

        A term that no context defines, a property or a type that Fedify knows and does not write
        again, or why Fedify could not read one of them at all.
        """
        found = [self.tell("terms", one) for one in documents]
        return {term for one in found for term in (*one["undefined"], *one["lost"])}

    def arrived(self, type_: str, **expected: Any) -> list[dict[str, Any]]:
        """Return the activities of a type that came in, with these values."""
        return [
            one
            for one in self.tell("arrived")
            if one["type"] == type_ and all(one.get(key) == expected[key] for key in expected)
        ]

    def wait_for(self, type_: str, **expected: Any) -> dict[str, Any]:
        """Wait for an activity and return it."""
        found = processes.eventually(
            lambda: self.arrived(type_, **expected),
            f"a {type_} with {expected} at the peer",
            why_not=lambda: [self.tell("arrived")[-3:], self.tell("problems")],
        )
        return found[0]

    def wait_for_note(self, type_: str, containing: str) -> dict[str, Any]:
        """Wait for an activity about a note with this text, and return the note."""

        def found() -> list[dict[str, Any]]:
            return [
                one["about"]
                for one in self.arrived(type_)
                if containing in ((one["about"] or {}).get("content") or "")
            ]

        return processes.eventually(
            found,
            f"a {type_} of a note saying {containing!r} at the peer",
            why_not=lambda: [self.tell("arrived")[-3:], self.tell("problems")],
        )[0]


@contextlib.contextmanager
def running(
    directory: Path,
    *,
    first: Scheme,
    authority: Authority | None = None,
    strict: bool = False,
) -> Iterator[Peer]:
    """Run a peer that signs with `first` first; over TLS if there is an `authority`.

    Its name is `peer.localhost`, another host than ours: no server asks itself over HTTP.
    """
    node = installed.node()
    port = processes.free_port()
    kind = "https" if authority else "http"
    origin = f"{kind}://peer.localhost:{port}"
    environment = {"ORIGIN": origin}
    verify: ssl.SSLContext | bool = True
    if authority:
        environment["TLS"] = str(authority.certificate)
        environment["NODE_EXTRA_CA_CERTS"] = str(authority.ca)
        verify = authority.trusting()
    if strict:
        environment["STRICT"] = "yes"
    base_url = f"{kind}://127.0.0.1:{port}"
    with (
        httpx2.Client(base_url=base_url, verify=verify, timeout=30, trust_env=False) as control,
        processes.running(
            [str(node), "peer.mjs", str(port), first],
            cwd=installed.PEER,
            log=directory / f"peer-{port}.log",
            environment=environment,
            is_up=lambda: _answers(control),
        ),
    ):
        yield Peer(origin, control)


def _answers(control: httpx2.Client) -> bool:
    try:
        return control.get("/_/arrived").status_code == 200
    except httpx2.TransportError:
        return False
