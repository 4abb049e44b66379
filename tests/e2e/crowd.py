"""Many small servers in one: every `p<n>.localhost` on one port, each with somebody on it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from microfedi.protocol import keys, signatures
from microfedi.protocol.keys import SigningKey

AS2 = "https://www.w3.org/ns/activitystreams"
ACTIVITY = "application/activity+json"


@dataclass
class Crowd:
    """The people, and what came to whom: host -> activities. `arrived` is set at each."""

    port: int = 0
    pem: str = field(default_factory=keys.generate_rsa)
    inboxes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def uri(self, number: int) -> str:
        """Who lives at the server of this number."""
        return f"http://p{number}.localhost:{self.port}/users/p"

    def document(self, host: str) -> dict[str, Any]:
        """What that server says of them."""
        uri = f"http://{host}/users/p"
        key = SigningKey(f"{uri}#main-key", self.pem)
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": "p",
            "inbox": f"{uri}/inbox",
            "publicKey": {"id": key.uri, "owner": uri, "publicKeyPem": key.public_pem},
        }

    def signed(
        self, number: int, inbox: str, activity: dict[str, Any]
    ) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of an activity of theirs, honestly signed."""
        uri = self.uri(number)
        body = json.dumps({"@context": AS2, "actor": uri, **activity}).encode()
        headers = signatures.sign_cavage(
            method="POST",
            url=inbox,
            body=body,
            key=SigningKey(f"{uri}#main-key", self.pem),
            now=datetime.now(UTC),
            content_type=ACTIVITY,
        )
        return body, headers

    def with_type(self, kind: str) -> set[str]:
        """Return the hosts whose inbox got an activity of this type."""
        return {
            host
            for host, activities in self.inboxes.items()
            if any(one["type"] == kind for one in activities)
        }

    async def until(self, hosts: int, kind: str, *, within_s: float) -> set[str]:
        """Wait until so many hosts got an activity of this type; return which did in that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while len(self.with_type(kind)) < hosts:
                    self.arrived.clear()
                    await self.arrived.wait()
        return self.with_type(kind)


@contextlib.asynccontextmanager
async def a_crowd() -> AsyncIterator[Crowd]:
    """Serve all of them from this process until the block ends."""
    crowd = Crowd()

    async def person(request: Request) -> Response:
        return JSONResponse(crowd.document(request.headers["host"]), media_type=ACTIVITY)

    async def finger(request: Request) -> Response:
        host = request.headers["host"]
        link = {"rel": "self", "type": ACTIVITY, "href": f"http://{host}/users/p"}
        return JSONResponse({"subject": f"acct:p@{host}", "links": [link]})

    async def inbox(request: Request) -> Response:
        crowd.inboxes.setdefault(request.headers["host"], []).append(await request.json())
        crowd.arrived.set()
        return Response(status_code=202)

    app = Starlette(
        routes=[
            Route("/.well-known/webfinger", finger, methods=["GET"]),
            Route("/users/p", person, methods=["GET"]),
            Route("/users/p/inbox", inbox, methods=["POST"]),
        ]
    )
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0)  # uvicorn has no event for it
        crowd.port = server.servers[0].sockets[0].getsockname()[1]
        yield crowd
    finally:
        server.should_exit = True
        await task
