"""What the owner set: a TOML file becomes a frozen Config; what is not understood is an error."""

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from microfedi.errors import ConfigError

Mode = Literal["open", "allowlist", "closed"]
Security = Literal["tls", "starttls"]

TRIAL_BASE_URL = "http://localhost:8000"
HANDLE = re.compile(r"[a-z0-9_]{1,30}")
RESERVED_HANDLES = frozenset({"owner", "actor", "inbox", "admin", "root", "instance"})

MAX_MAIL_ADDRESS_CHARS = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
# Plain addresses: nothing in them can be mistaken for more of a mail's head, or of a command.
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)


@dataclass(frozen=True, slots=True)
class Federation:
    """With whom we speak."""

    mode: Mode = "open"
    allowlist: tuple[str, ...] = ()
    development: bool = False  # plain http, any port and private addresses are allowed


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine is good for. Everything else that is bounded is a constant in the code."""

    post_characters: int = 5000
    upload_mb: int = 16
    film_mb: int = 40  # of a film or a sound; it is in memory while it is uploaded
    copied_film_mb: int = 100  # of others' films and sounds: larger ones are links
    disk_budget_gb: int = 5  # the default of a new owner; the pages change it later

    @property
    def form_bytes(self) -> int:
        """What one post may bring along, all files together: four pictures and a film."""
        return (4 * self.upload_mb + self.film_mb) * 1_000_000


@dataclass(frozen=True, slots=True)
class Mail:
    """Where safety alerts are handed in as mail; without a host there is none."""

    host: str = ""
    port: int = 465
    security: Security = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    sender: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting. `config.example.toml` says in words what each is for."""

    base_url: str = TRIAL_BASE_URL
    listen: str = "127.0.0.1:8000"
    data_dir: Path = Path("data")
    key_file: str = ""
    handle: str = ""
    handle_domain: str = ""
    trusted_proxies: tuple[str, ...] = ()
    federation: Federation = field(default_factory=Federation)
    limits: Limits = field(default_factory=Limits)
    mail: Mail = field(default_factory=Mail)

    @property
    def host(self) -> str:
        """The host of the base URL with its port if it is not the usual one: what Host must say."""
        return urlsplit(self.base_url).netloc

    @property
    def hostname(self) -> str:
        """The host of the base URL without a port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def domain(self) -> str:
        """What stands behind the @ of the owner's handle."""
        return self.handle_domain or self.host

    @property
    def is_https(self) -> bool:
        """True for a public server; False on a laptop."""
        return self.base_url.startswith("https://")

    @property
    def is_trial(self) -> bool:
        """True on a laptop, over plain http: the world cannot reach it, and federation is off."""
        return not self.is_https and not self.federation.development

    @property
    def federates(self) -> bool:
        """False in `closed` mode and for a trial: nothing is fetched, sent or served to servers."""
        return self.federation.mode != "closed" and not self.is_trial

    @property
    def mails(self) -> bool:
        """True if alerts go out as mail. A trial sends nothing to anybody."""
        return bool(self.mail.host) and not self.is_trial

    @property
    def database_file(self) -> Path:
        """Where everything is kept but keys and pictures."""
        return self.data_dir / "microfedi.db"

    @property
    def server_key_file(self) -> Path:
        """The key under which what is not public is sealed."""
        return Path(self.key_file) if self.key_file else self.data_dir / "server.key"

    @property
    def media_dir(self) -> Path:
        """The owner's pictures."""
        return self.data_dir / "media"

    @property
    def cache_dir(self) -> Path:
        """Copies of others' pictures; may be deleted at any time."""
        return self.data_dir / "cache"


def load(path: Path | None) -> Config:
    """Read the settings in the TOML file at `path`; without one, the trial on this machine.

    Raises: ConfigError naming key and line, and what was expected.
    """
    if path is None:
        return Config()
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error}") from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "config.toml") -> Config:
    """Read settings from TOML text; `name` stands in error messages.

    Raises: ConfigError naming key and line, and what was expected.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: this is not TOML: {error}") from error
    config: Config = _read(Config, table, text=text, name=name, path=())
    _check(config, text, name)
    return config


def changed(config: Config, changes: Mapping[str, Any], *, name: str = "command line") -> Config:
    """Return `config` with settings given in another way; `name` stands in error messages.

    Raises: ConfigError as for a file.
    """
    new = replace(config, **changes)
    _check(new, "", name)
    return new


def _read(
    kind: Any, table: Mapping[str, Any], *, text: str, name: str, path: tuple[str, ...]
) -> Any:
    known = {one.name: one for one in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = (*path, key)
        if key not in known:
            raise _wrong(
                text, name, where, f"is not a setting; there are {', '.join(sorted(known))}"
            )
        wanted: Any = known[key].type
        if is_dataclass(wanted):
            if not isinstance(value, dict):
                raise _wrong(text, name, where, f"is a section: write [{key}] on its own line")
            values[key] = _read(wanted, value, text=text, name=name, path=where)
        else:
            values[key] = _value(wanted, value, text=text, name=name, where=where)
    return kind(**values)


def _value(wanted: Any, value: Any, *, text: str, name: str, where: tuple[str, ...]) -> Any:
    if where[-1] == "password" and not isinstance(value, str):
        raise _wrong(text, name, where, "must be a text in quotes")  # and is not repeated
    if wanted is bool:
        if isinstance(value, bool):
            return value
        raise _wrong(text, name, where, f"must be true or false, not {value!r}")
    if wanted is int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1_000_000:
            return value
        raise _wrong(text, name, where, f"must be a whole number above 0, not {value!r}")
    if get_origin(wanted) is tuple:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise _wrong(text, name, where, f'must be a list of texts, like ["a", "b"], not {value!r}')
    if get_origin(wanted) is Literal:
        if value in get_args(wanted):
            return value
        raise _wrong(
            text, name, where, f"must be one of {', '.join(get_args(wanted))}, not {value!r}"
        )
    if not isinstance(value, str):
        raise _wrong(text, name, where, f"must be a text in quotes, not {value!r}")
    return Path(value) if wanted is Path else value


def _check(config: Config, text: str, name: str) -> None:
    """What a type alone does not say."""

    def wrong(key: str, message: str) -> ConfigError:
        return _wrong(text, name, tuple(key.split(".")), message)

    parts = urlsplit(config.base_url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise wrong("base_url", f'must look like "https://social.example", not {config.base_url!r}')
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise wrong("base_url", "must be scheme and host only, without a path or a trailing slash")
    if not _HOST.fullmatch(parts.hostname) or parts.netloc != parts.netloc.lower():
        raise wrong("base_url", "must name its host in lower case (punycode for other letters)")
    local = parts.hostname == "localhost" or parts.hostname.endswith(".localhost")
    if parts.scheme == "http" and not (local or config.federation.development):
        raise wrong("base_url", "must begin with https:// unless its host is localhost")
    if config.handle_domain and not _HOST.fullmatch(config.handle_domain.split(":")[0]):
        raise wrong("handle_domain", f"must be a host in lower case, not {config.handle_domain!r}")
    if config.handle:
        check_handle(config.handle, lambda message: wrong("handle", message))
    if not config.listen.startswith("unix:"):
        host, _, port = config.listen.rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise wrong("listen", 'must look like "127.0.0.1:8000" or "unix:/run/microfedi/socket"')
    for proxy in config.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            if proxy != "unix":
                raise wrong(
                    "trusted_proxies", f'holds addresses, networks or "unix", not {proxy!r}'
                ) from None
    for host in config.federation.allowlist:
        if not _HOST.fullmatch(host.split(":")[0]):
            raise wrong("federation.allowlist", f"holds hosts in lower case, not {host!r}")
    _check_mail(config.mail, wrong)


def _check_mail(mail: Mail, wrong: Callable[[str, str], ConfigError]) -> None:
    if not mail.host:
        if mail != Mail():
            raise wrong("mail.host", "is missing: without it no mail is sent")
        return
    if not _HOST.fullmatch(mail.host):
        raise wrong("mail.host", f"must be a host in lower case, not {mail.host!r}")
    if mail.port > 65535:
        raise wrong("mail.port", f"must be a port, not {mail.port}")
    for key in ("sender", "to"):
        address: str = getattr(mail, key)
        if len(address) > MAX_MAIL_ADDRESS_CHARS or not _MAIL_ADDRESS.fullmatch(address):
            raise wrong(f"mail.{key}", f'must look like "me@example.org", not {address!r}')
    if mail.password and mail.password_file:
        raise wrong("mail.password", "and password_file are both set: one is enough")
    if bool(mail.user) != bool(mail.password or mail.password_file):
        raise wrong("mail.user", "goes together with password or password_file")
    for key in ("user", "password"):
        value: str = getattr(mail, key)
        if not value.isprintable():
            raise wrong(f"mail.{key}", "holds a character that cannot be typed")


def check_handle(handle: str, wrong: Any) -> None:
    """Raise what `wrong(message)` makes unless `handle` can be the owner's for ever."""
    if not HANDLE.fullmatch(handle):
        raise wrong("must be 1 to 30 of a-z, 0-9 and _ (no capitals, no dots)")
    if handle in RESERVED_HANDLES:
        raise wrong(f"cannot be {handle!r}: that name has a meaning of its own here")


def _wrong(text: str, name: str, where: tuple[str, ...], message: str) -> ConfigError:
    line = f", line {_line_of(text, where)}" if text else ""
    return ConfigError(f"{name}{line}: {'.'.join(where)} {message}")


def _line_of(text: str, where: tuple[str, ...]) -> int:
    """The line on which a key stands, as a person would find it; 1 if it stands nowhere."""
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            section = tuple(part.strip() for part in stripped.strip("[]").split("."))
            if section == where:
                return number
        key = stripped.partition("=")[0].strip().strip('"')
        if "=" in stripped and (*section, *key.split(".")) == where:
            return number
    return 1
