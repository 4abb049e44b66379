"""Settings: defaults, the example file, and errors that name key and line."""

from pathlib import Path

import pytest

from microfedi import config
from microfedi.config import Config
from microfedi.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


def test_the_example_file_holds_every_setting_with_its_default() -> None:
    assert config.parse(EXAMPLE.read_text("utf-8")) == Config()
    for name in ("base_url", "key_file", "development", "disk_budget_gb", "trusted_proxies"):
        assert f"\n{name} = " in EXAMPLE.read_text("utf-8")


def test_without_a_file_it_is_a_trial_that_does_not_federate() -> None:
    assert (Config().is_trial, Config().federates, Config().domain) == (
        True,
        False,
        "localhost:8000",
    )


def test_a_public_server_with_a_handle_on_another_domain() -> None:
    made = config.parse('base_url = "https://social.example"\nhandle_domain = "alice.example"')

    assert (made.host, made.domain, made.is_trial, made.federates) == (
        "social.example",
        "alice.example",
        False,
        True,
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('\nbase_ulr = "x"', 2, "base_ulr is not a setting"),
        (
            "[federation]\nmode = 'shut'",
            2,
            "federation.mode must be one of open, allowlist, closed",
        ),
        ("[federation]\n\ndevelopment = 1", 3, "federation.development must be true or false"),
        ("[limits]\nupload_mb = -1", 2, "limits.upload_mb must be a whole number above 0"),
        ("[limits]\nupload_mb = true", 2, "must be a whole number"),
        ("[limits]\nspeed = 3", 2, "limits.speed is not a setting"),
        ("limits = 3", 1, "limits is a section"),
        ("trusted_proxies = '127.0.0.1'", 1, "must be a list of texts"),
        ("trusted_proxies = ['proxy.example']", 1, "holds addresses"),
        ("base_url = 'ftp://x.example'", 1, "base_url must look like"),
        ("base_url = 'https://x.example/'", 1, "without a path"),
        ("base_url = 'https://me:pw@x.example'", 1, "scheme and host only"),
        ("base_url = 'http://x.example'", 1, "must begin with https"),
        ("base_url = 'https://X.example'", 1, "lower case"),
        ("handle = 'Alice'", 1, "handle must be 1 to 30"),
        ("handle = 'inbox'", 1, "a meaning of its own"),
        ("handle_domain = 'a b'", 1, "handle_domain must be a host"),
        ("listen = '8000'", 1, "listen must look like"),
        ("listen = '127.0.0.1:99999'", 1, "listen must look like"),
        ("base_url = 7", 1, "must be a text in quotes"),
        ("base_url =", 1, "not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(text)

    assert says in str(caught.value)
    if says != "not TOML":
        assert f"line {line}:" in str(caught.value)


def test_plain_http_on_any_host_is_for_development() -> None:
    made = config.parse(
        'base_url = "http://alice.localhost:8101"\n[federation]\ndevelopment = true'
    )

    assert made.federates
    assert not made.is_trial
