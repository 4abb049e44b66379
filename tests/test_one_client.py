"""There is one client for everything that leaves: nothing else can open a connection."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "microfedi"
CLIENT = {ROOT / "federation" / "remote.py", ROOT / "federation" / "connections.py"}
# The one exception: alerts by mail, to the server that the owner set.
MAIL = {ROOT / "federation" / "mail.py": {"smtplib"}}
# What opens no connection to anybody else: the socket that we listen on, and the demo, which talks
# with 127.0.0.1 as a browser would.
LOCAL = {ROOT / "serving.py": {"socket"}, ROOT / "demo.py": {"socket", "http.client"}}

# Modules whose purpose is to reach out.
CLIENT_MODULES = {
    "httpx2", "httpcore2", "httpx", "httpcore", "h11", "h2", "aiohttp", "requests", "urllib3",
    "urllib.request", "http.client", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib",
    "xmlrpc", "socket", "asyncio.streams", "anyio", "trio", "pywebpush", "websockets",
}  # fmt: skip
# Calls that open a connection, whatever they are called on.
CONNECTING = {
    "open_connection", "create_connection", "create_datagram_endpoint", "sock_connect",
    "urlopen", "urlretrieve", "connect_ex", "getaddrinfo",
}  # fmt: skip


def reaching_out(source: str) -> Iterator[str]:
    """What of a module's source could open a connection."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in CONNECTING:
                yield name
        for name in names:
            if any(name == module or name.startswith(f"{module}.") for module in CLIENT_MODULES):
                yield name


def test_only_the_client_reaches_out() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        found = set(reaching_out(path.read_text("utf-8")))
        if path in CLIENT:
            assert found, f"{path.name} is the client no more"
        else:
            assert found == (LOCAL | MAIL).get(path, set()), (
                f"{path.relative_to(ROOT)} could open connections: {found}"
            )


def test_nobody_turns_certificate_checks_off() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        source = path.read_text("utf-8")
        for switch in ("CERT_NONE", "check_hostname", "_create_unverified_context", "verify=False"):
            assert switch not in source, f"{path.relative_to(ROOT)} has {switch}"


def test_this_check_would_notice() -> None:
    for source in (
        "import httpx2",
        "def f():\n    from urllib.request import urlopen",
        "import urllib.request",
        "from urllib import request",
        "import asyncio\nasync def f(): await asyncio.open_connection('a', 1)",
        "loop.create_connection(x)",
    ):
        assert set(reaching_out(source)), source
    assert not set(reaching_out("from urllib.parse import urlsplit\nimport asyncio"))
