"""The command line: a function for each command."""

import argparse
import asyncio
import contextlib
import getpass
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from microfedi import __version__
from microfedi import config as config_module
from microfedi.account import renewing, setup
from microfedi.account.fresh import Factors
from microfedi.account.renewing import NewFactors
from microfedi.account.setup import NewOwner, SetupProblems
from microfedi.config import Config
from microfedi.errors import ConfigError, InvalidInput, MicrofediError
from microfedi.federation import start
from microfedi.federation.context import system_clock
from microfedi.storage import database
from microfedi.storage.database import Database

DEFAULT_CONFIG = Path("config.toml")

# What a process ends with.
OK = 0
FAILED = 1  # what was asked for was not done
UNUSABLE = 2  # it cannot begin like this: settings, directory, arguments
INTERRUPTED = 130  # by Ctrl+C, as shells count it

DESCRIPTION = "Your own Fediverse account: one person, one process, one directory."
EPILOG = """\
First steps, on this machine:
  microfedi serve         then open the link that it prints
For the world, copy config.example.toml to config.toml and edit it; README.md shows the rest.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return what the process ends with."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        return code
    except SetupProblems as error:
        for field, problem in error.problems.items():
            _complain(f"{field}: {problem}")
        return FAILED
    except ConfigError as error:
        _complain(error)
        return UNUSABLE
    except InvalidInput as error:
        _complain(f"{error.field}: {error}" if error.field else str(error))
        return FAILED
    except (MicrofediError, OSError) as error:
        _complain(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return the parser; the help is meant to be read."""
    top = argparse.ArgumentParser(
        prog="microfedi",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"microfedi {__version__}")
    top.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"settings (default: {DEFAULT_CONFIG} if it is there, else a trial on this machine)",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("serve", help="run the server until Ctrl+C")
    command.set_defaults(run=_serve)

    command = commands.add_parser(
        "setup-link",
        help="print a new one-time link to set the server up",
        description="Print a new one-time link to set the server up; one before it ends. "
        "Works while the server runs.",
    )
    command.set_defaults(run=_setup_link)

    command = commands.add_parser(
        "init",
        help="make the owner without a browser and without questions",
        description="Make the owner without a browser. The password is read from standard input "
        "(one line). Prints the secret for the authenticator app and the recovery codes; they "
        "are shown this once.",
    )
    command.add_argument("--handle", metavar="NAME", help="a-z, 0-9, _; can never change")
    command.add_argument("--name", metavar="TEXT", default="", help="what people see (the handle)")
    command.add_argument("--base-url", metavar="URL", help="instead of the settings' base_url")
    command.add_argument("--data-dir", metavar="DIR", help="instead of the settings' data_dir")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=_init)

    command = commands.add_parser("owner", help="about the owner: owner reset")
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = actions.add_parser(
        "reset",
        help="new password, second factor and recovery codes",
        description="Get back in: a new password (asked for, or one line of standard input), a "
        "new second factor, new recovery codes. Every browser is logged out. Works while the "
        "server runs.",
    )
    action.set_defaults(run=_owner_reset)

    command = commands.add_parser(
        "doctor",
        help="look whether everything is in order, and say what to do",
        description="Look at files, database, clock, disk, and at what the world sees of this "
        "server. Ends with 1 if something is broken. Works while the server runs.",
    )
    command.set_defaults(run=_doctor)

    command = commands.add_parser(
        "demo",
        help="run two small servers on this machine that talk with each other",
        description="Start alice.localhost and bob.localhost, let them follow each other, post, "
        "reply and write a message, and print how to log in. Data is in ./demo-data, fresh each "
        "time. Ends with Ctrl+C.",
    )
    command.add_argument("--once", action="store_true", help="end when they have talked")
    command.set_defaults(run=_demo)
    return top


# --- the commands
# What only one command needs is imported there: `--version` and `setup-link` need no web server.


def _serve(arguments: argparse.Namespace) -> int:
    from microfedi import serving

    serving.serve(_settings(arguments), say=_say)
    return OK


def _setup_link(arguments: argparse.Namespace) -> int:
    async def make(settings: Config) -> str:
        async with _opened(settings) as db:
            return await setup.new_link(db, settings, system_clock())

    _say(asyncio.run(make(_settings(arguments))))
    return OK


def _init(arguments: argparse.Namespace) -> int:
    from microfedi import serving

    settings = _settings(arguments)
    changes = {
        "base_url": arguments.base_url,
        "data_dir": Path(arguments.data_dir) if arguments.data_dir else None,
    }
    settings = config_module.changed(settings, {k: v for k, v in changes.items() if v is not None})
    handle = arguments.handle or settings.handle
    if not handle:
        raise ConfigError("init needs --handle NAME (or `handle` in the settings)")
    password = _new_password()

    async def make() -> NewOwner:
        async with _opened(settings) as db:
            return await setup.make_owner(
                db,
                settings,
                handle=handle,
                name=arguments.name or handle,
                password=password,
                now=system_clock(),
            )

    with serving.only_one(settings):
        made = asyncio.run(make())
    if arguments.json:
        _say(
            json.dumps(
                {
                    "base_url": settings.base_url,
                    "handle": f"@{handle}@{settings.domain}",
                    "totp_uri": made.totp_uri,
                    "totp_secret": made.factors.totp_secret,
                    "recovery_key": made.factors.recovery_key,
                    "recovery_codes": made.factors.recovery_codes,
                }
            )
        )
        return OK
    _say(f"@{handle}@{settings.domain} lives in {settings.data_dir.resolve()}\n")
    _show_factors(made.totp_uri, made.factors)
    return OK


def _owner_reset(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    password = _new_password()
    typed_key = _old_recovery_key()

    async def change() -> NewFactors:
        async with _opened(settings) as db:
            return await renewing.reset(
                db, settings, password=password, typed_key=typed_key, now=system_clock()
            )

    made = asyncio.run(change())
    _say(
        "The password is changed, every browser is logged out, passkeys are removed,"
        " and what waited to be done in a day is cancelled.\n"
    )
    _show_factors(made.totp_uri, made.factors)
    return OK


def _doctor(arguments: argparse.Namespace) -> int:
    from microfedi import doctor

    findings = asyncio.run(doctor.examine(_settings(arguments)))
    for line in doctor.report(findings):
        _say(line)
    return FAILED if any(finding.state == "bad" for finding in findings) else OK


def _demo(arguments: argparse.Namespace) -> int:
    from microfedi import demo

    asyncio.run(demo.run(Path("demo-data"), say=_say, once=arguments.once))
    return OK


# --- what they share


def _settings(arguments: argparse.Namespace) -> Config:
    path: Path | None = arguments.config
    if path is None and DEFAULT_CONFIG.exists():
        path = DEFAULT_CONFIG
    return config_module.load(path)


@contextlib.asynccontextmanager
async def _opened(settings: Config) -> AsyncIterator[Database]:
    """The settings' database, without a server around it; beside one it does no harm."""
    sealer = start.prepare(settings)
    async with database.opened(settings.database_file, sealer) as db:
        await setup.ensure_instance(db, settings, system_clock())
        yield db


def _new_password() -> str:
    """Read a password: twice from whoever sits at the terminal, else one line of standard input."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise ConfigError("the password is expected on standard input, as one line")
        return password
    password = getpass.getpass("New password (12 characters or more): ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigError("the two passwords differ")
    return password


def _old_recovery_key() -> str:
    """Read the recovery key of the messages: a second line of standard input, or at the terminal.

    Empty if it is lost: what is there stays sealed then, and a new vault begins.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    _say("With their recovery key your messages stay readable. Without it they stay sealed, until")
    _say("you remember the old password or find the key; new ones are readable in any case.")
    return input("Recovery key (empty if it is lost): ").strip()


def _show_factors(totp_uri: str, factors: Factors) -> None:
    _say("Add this to your authenticator app now; it is not shown again:")
    if sys.stdout.isatty():
        import segno

        segno.make(totp_uri, error="m", micro=False).terminal(compact=True)
    _say(f"  {factors.totp_secret}\n  {totp_uri}\n")
    _say("Write these recovery codes down; each replaces the app once:")
    for code in factors.recovery_codes:
        _say(f"  {code}")
    _say("\nAnd the recovery key of your messages, for the day you forget the password:")
    _say(f"  {factors.recovery_key}")


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(problem: object) -> None:
    print(f"microfedi: {problem}", file=sys.stderr)
