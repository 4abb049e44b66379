"""Looks whether everything is in order, here and from outside; each finding says what to do.

Changes nothing, makes nothing, and may be run while the server runs.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from microfedi import __version__
from microfedi.config import Config
from microfedi.errors import ConfigError, MicrofediError
from microfedi.federation import connections, start
from microfedi.federation.connections import Resolver
from microfedi.federation.context import system_clock
from microfedi.federation.remote import ACTIVITY_ACCEPT, JRD_ACCEPT, Remote, Response
from microfedi.protocol import netguard
from microfedi.serving import is_served
from microfedi.storage import checkup, condition, database, owner, schema, sealed
from microfedi.storage.condition import Finding, State
from microfedi.storage.owner import Owner

MAX_CLOCK_S = 60  # seconds; others refuse signatures whose date is off by a few minutes
LOW_CERTIFICATE_DAYS = 14  # ACME clients renew a month before the end
_MARKS = {"ok": "ok  ", "warn": "look", "bad": "BAD "}


def report(findings: Iterable[Finding]) -> Iterator[str]:
    """Return the findings as lines for a terminal, and a last one that sums up."""
    worst: list[State] = []
    for finding in findings:
        worst.append(finding.state)
        yield f"{_MARKS[finding.state]}  {finding.what}"
        if finding.advice:
            yield f"      -> {finding.advice}"
    bad, look = worst.count("bad"), worst.count("warn")
    yield ""
    if bad:
        yield f"{bad} to mend" + (f", {look} to look at." if look else ".")
    elif look:
        yield f"Nothing is broken; {look} to look at."
    else:
        yield "All is well."


async def examine(
    settings: Config,
    *,
    remote: Remote | None = None,
    resolve: Resolver | None = None,
    now: Callable[[], datetime] = system_clock,
) -> list[Finding]:
    """Look at everything and return what was found, in the order in which it is to be mended.

    `remote` is the way to our own public address, `resolve` asks the DNS; tests hand in theirs,
    and their clock.
    """
    findings = [Finding("ok", f"microfedi {__version__} for {settings.base_url}")]
    findings += condition.of_settings(settings)
    if not settings.database_file.exists():
        advice = "start it once: microfedi serve"
        return [*findings, Finding("warn", f"nothing in {settings.data_dir} yet", advice)]
    findings += condition.of_files(settings)
    findings += condition.of_disk(settings)
    me: Owner | None = None
    try:
        me, found = await _database(settings, now())
        findings += found
    except MicrofediError as error:
        what, _, advice = str(error).partition(": ")
        findings.append(Finding("bad", what, advice))
    if me is not None and me.deleted_at is not None:
        return [*findings, _deleted(me)]
    served = is_served(settings.data_dir)
    if not served:
        advice = "start it: microfedi serve, or systemctl start microfedi"
        findings.append(
            Finding("warn" if settings.is_trial else "bad", "it is not running", advice)
        )
    if served or not settings.is_trial:
        way_out = remote or _remote(settings, own_host=settings.hostname)
        try:
            if settings.is_https:
                findings.append(await _dns(settings, resolve or connections.system_resolver()))
            findings += await _from_outside(settings, way_out, me, now())
        finally:
            if remote is None:
                await way_out.close()
    return findings


def _deleted(me: Owner) -> Finding:
    if me.erased_at is not None:
        advice = "whoever asks is told so, as long as the server runs"
        return Finding("ok", "the account is deleted, and everybody was told", advice)
    advice = "let the server run until they know: seven days at most"
    return Finding("warn", "the account is deleted, and others are still being told", advice)


async def _database(settings: Config, now: datetime) -> tuple[Owner | None, list[Finding]]:
    """Look at the file, without migrating it. Raises: ConfigError if it cannot be opened."""
    found, newest = schema.version(settings.database_file), schema.newest()
    if found != newest:
        raise ConfigError(
            f"the database has schema {found}, this microfedi works with {newest}: "
            + ("start it once to upgrade it" if found < newest else "install the newer microfedi")
        )
    findings = [Finding("ok", f"the database has the schema of this version ({found})")]
    db = await database.open_database(settings.database_file, sealed.load(settings.server_key_file))
    try:
        damage = await db.read(checkup.damage)
        if damage:
            advice = "stop the server, copy the file, and go back to your last backup"
            findings.append(Finding("bad", f"the database is damaged: {damage}", advice))
        else:
            findings.append(Finding("ok", "the database is whole"))
        try:
            me = await db.read(owner.load)
        except ValueError:
            raise ConfigError(
                f"{settings.server_key_file} is not the key of this database: put the right one "
                "back; without it nothing that is not public can be read"
            ) from None
        if me is None:
            advice = "open the link that microfedi setup-link prints"
            findings.append(Finding("warn", "nobody lives here yet", advice))
        waits = await db.read(
            lambda reader: checkup.waiting(
                reader, late=now - condition.LATE, failing=now - condition.FAILING
            )
        )
        findings += condition.of_queues(waits, is_served=is_served(settings.data_dir))
        return me, findings
    finally:
        await db.close()


# --- from outside


async def _from_outside(
    settings: Config, remote: Remote, me: Owner | None, now: datetime
) -> list[Finding]:
    try:
        home = await remote.probe_self(f"{settings.base_url}/about")
    except MicrofediError as error:
        advice = "is the port open in the firewall, the proxy running, its certificate good?"
        what = f"{settings.base_url} cannot be reached: {error}"
        return [Finding("bad", what, advice)]
    findings = [_reached(settings, home), *_certificate(home, now), _clock(home, now)]
    if me is not None and settings.federates:
        findings.append(await _actor(settings, remote, me))
        findings.append(await _webfinger(settings, remote, me))
    return findings


async def _dns(settings: Config, resolve: Resolver) -> Finding:
    try:
        addresses = await resolve(settings.hostname, 443)
    except OSError:
        advice = "enter an A record (and AAAA) with this machine's public address at your registrar"
        return Finding("bad", f"{settings.hostname} is not in the DNS", advice)
    private = [address for address in addresses if not netguard.is_public_address(address)]
    if private:
        advice = "other servers refuse to connect to private addresses: correct the DNS record"
        return Finding("bad", f"{settings.hostname} leads to {', '.join(private)}", advice)
    return Finding("ok", f"{settings.hostname} leads to {', '.join(addresses)}")


def _reached(settings: Config, home: Response) -> Finding:
    if home.status == 400 and b"answers at" in home.body:
        return Finding(
            "bad",
            "the proxy does not pass on by which name it was asked",
            "nginx: proxy_set_header Host $host; Caddy does it by itself",
        )
    if home.status in (502, 503, 504):
        advice = f"it must pass requests on to {settings.listen}; may it open that socket?"
        return Finding("bad", f"the proxy answers {home.status}: it does not reach us", advice)
    if home.status >= 400 or 300 <= home.status < 400:
        advice = "does the proxy pass every path on, and to this server?"
        return Finding("bad", f"{settings.base_url}/about answers {home.status}", advice)
    if "x-content-type-options" not in home.headers:
        advice = "does the proxy pass every path on, and to this server?"
        return Finding("bad", f"{settings.base_url}/about is answered by somebody else", advice)
    return Finding("ok", f"{settings.base_url} can be reached")


def _certificate(home: Response, now: datetime) -> Iterator[Finding]:
    if home.certificate_until is None:
        return
    days = (home.certificate_until - now).days
    if days < LOW_CERTIFICATE_DAYS:
        advice = "it should have been renewed by now: look into the proxy's log"
        yield Finding("warn", f"the certificate ends in {days} days", advice)
    else:
        yield Finding("ok", f"the certificate is good for {days} more days")


def _clock(home: Response, now: datetime) -> Finding:
    """Compare our clock with that of whoever answers in public: mostly the proxy's machine."""
    try:
        theirs = parsedate_to_datetime(home.headers["date"])
    except (KeyError, ValueError):
        return Finding("warn", "the proxy does not say what time it is")
    off = abs((now - theirs.astimezone(UTC)).total_seconds())
    if off > MAX_CLOCK_S:
        advice = "others refuse what is signed at the wrong time: timedatectl set-ntp true"
        return Finding("bad", f"the clock is off by {off:.0f} s", advice)
    return Finding("ok", "the clock is right, as far as the proxy knows")


async def _actor(settings: Config, remote: Remote, me: Owner) -> Finding:
    what = f"{me.uri} as other servers see it"
    advice = "does something in front of us change or keep answers? It must heed Accept and Vary"
    try:
        answer = await remote.probe_self(me.uri, accept=ACTIVITY_ACCEPT)
    except MicrofediError as error:
        return Finding("bad", f"{what}: {error}", advice)
    if answer.status != 200 or _document(answer.body).get("id") != me.uri:
        return Finding("bad", f"{what}: answers {answer.status}, not the profile", advice)
    return Finding("ok", f"other servers can read {me.uri}")


async def _webfinger(settings: Config, remote: Remote, me: Owner) -> Finding:
    handle = f"{me.handle}@{settings.domain}"
    query = f"/.well-known/webfinger?resource={quote(f'acct:{handle}')}"
    scheme = "https" if settings.is_https else "http"
    url = f"{scheme}://{settings.domain}{query}"
    advice = f"https://{settings.domain}/.well-known/webfinger must lead to {settings.base_url}"
    try:
        if settings.domain == settings.host:
            body = (await remote.probe_self(url, accept=JRD_ACCEPT)).body
        else:
            # The redirect to ourselves is what we want to see, so here nothing is our own host.
            through = _remote(settings, own_host="")
            try:
                body = await through.get_jrd(url)
            finally:
                await through.close()
    except MicrofediError as error:
        return Finding("bad", f"@{handle} is not found by WebFinger: {error}", advice)
    links = _document(body).get("links")
    found = links if isinstance(links, list) else []
    if not any(isinstance(link, dict) and link.get("href") == me.uri for link in found):
        return Finding("bad", f"WebFinger for @{handle} does not name {me.uri}", advice)
    return Finding("ok", f"@{handle} is found by WebFinger")


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _remote(settings: Config, *, own_host: str) -> Remote:
    return Remote(
        user_agent=start.user_agent(settings),
        own_host=own_host,
        development=not settings.is_https,
    )
