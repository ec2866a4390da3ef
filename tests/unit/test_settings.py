"""Settings: what the environment may say, and the sentence for what it may not."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from authsvc.environment import load_settings
from authsvc.errors import OperatorError
from authsvc.settings import PREFIX, Settings
from tests.fixtures.command import environment

SECRET = "a secret of 32 characters at least"
NEEDED = {"DATABASE_URL": "sqlite:///authsvc.db", "SECRET_KEYS": SECRET}
Load = Callable[..., Settings]


@pytest.fixture
def load() -> Load:
    """Read the settings of an environment that holds what is needed and these, named without their prefix."""

    def loaded(**variables: str) -> Settings:
        named = {PREFIX + name: value for name, value in (NEEDED | variables).items()}
        with patch.dict("os.environ", environment(named), clear=True):
            return load_settings()

    return loaded


def refusal(load: Load, **variables: str) -> str:
    with pytest.raises(OperatorError) as refused:
        load(**variables)
    return str(refused.value)


def shown(value: Any) -> Any:
    """A value with its secrets opened, to be compared."""
    if isinstance(value, tuple):
        return tuple(map(shown, value))
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        pytest.param("DATABASE_URL", "postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d", id="postgres"),
        pytest.param("DATABASE_URL", "postgresql://h/d", "postgresql+asyncpg://h/d", id="postgresql"),
        pytest.param("DATABASE_URL", "sqlite:///f.db", "sqlite+aiosqlite:///f.db", id="sqlite"),
        pytest.param("REDIS_URL", "rediss://cache:6379/1", "rediss://cache:6379/1", id="redis with TLS"),
        pytest.param("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock", id="redis by socket"),
        pytest.param(
            "REDIS_URL",
            "rediss+sentinel://a:26379,b:26379/ours/0",
            "rediss+sentinel://a:26379,b:26379/ours/0",
            id="redis by sentinels",
        ),
        pytest.param("SECRET_KEYS", f" {SECRET} ,{'x' * 32},", (SECRET, "x" * 32), id="two secrets"),
        pytest.param("ISSUER", "https://auth.example.com", "https://auth.example.com", id="issuer"),
        pytest.param("ISSUER", "https://auth.example.com:8443", "https://auth.example.com:8443", id="port"),
        pytest.param("ISSUER", "http://localhost:8000", "http://localhost:8000", id="issuer on localhost"),
        pytest.param("ISSUER", "http://[::1]:8000", "http://[::1]:8000", id="issuer on IPv6 loopback"),
        pytest.param("ISSUER", "http://127.9.9.9", "http://127.9.9.9", id="issuer on another loopback"),
        pytest.param(
            "CORS_ORIGINS",
            "https://a.example, https://b.example",
            ("https://a.example", "https://b.example"),
            id="origins",
        ),
        pytest.param("TRUSTED_PROXIES", "10.0.0.5,fd00::/8", ("10.0.0.5", "fd00::/8"), id="proxies"),
        pytest.param("REFRESH_OVERLAP_SECONDS", "0", 0, id="no overlap"),
        pytest.param("REFRESH_OVERLAP_SECONDS", "60", 60, id="longest overlap"),
        pytest.param("TOKEN_FORMAT", "opaque", "opaque", id="format"),
        pytest.param("AUDIENCE", "", None, id="set and empty is not set"),
    ],
)
def test_a_setting_is_read(load: Load, name: str, written: str, value: object) -> None:
    assert shown(getattr(load(**{name: written}), name.lower())) == value


@pytest.mark.parametrize(
    ("name", "written", "sentence"),
    [
        pytest.param("DATABASE_URL", "mysql://h/d", "is no URL of Postgres; write postgresql://", id="mysql"),
        pytest.param(
            "DATABASE_URL", "/srv/authsvc.db", "is no URL of Postgres; write postgresql://", id="path"
        ),
        pytest.param("DATABASE_URL", "postgresql+psycopg://h/d", "is no URL of Postgres; write", id="driver"),
        pytest.param("DATABASE_URL", "sqlite://", "names no file, so nothing would be kept", id="no file"),
        pytest.param(
            "DATABASE_URL", "sqlite:///:memory:", "names no file, so nothing would be kept", id="in memory"
        ),
        pytest.param("REDIS_URL", "redis://cache/zero", "does not end in a number; write redis", id="a word"),
        pytest.param("REDIS_URL", "redis://:a/b@cache/0", "does not end in a number; write", id="a bare /"),
        pytest.param("REDIS_URL", "cache:6379", "is no Redis URL; write redis://HOST:6379/0", id="no scheme"),
        pytest.param(
            "REDIS_URL", "redis+sentinel://a,b", "does not name the primary that", id="a primary without name"
        ),
        pytest.param(
            "REDIS_URL", "redis+sentinel://a/ours/zero", "does not end in a number", id="a word after a name"
        ),
        pytest.param("REDIS_URL", "http://cache", "is no Redis URL; write redis://HOST:6379/0", id="http"),
        pytest.param("SECRET_KEYS", "x" * 31, "needs secrets of at least 32 characters; make", id="short"),
        pytest.param("SECRET_KEYS", f"{SECRET},short", "needs secrets of at least 32", id="the second short"),
        pytest.param(
            "SECRET_KEYS", ",", "needs secrets of at least 32 characters; make one with:", id="none"
        ),
        pytest.param("SECRET_KEYS", f"{SECRET},{SECRET}", "holds the same secret twice; write", id="twice"),
        pytest.param("ISSUER", "auth.example.com", "must be a bare https URL", id="issuer without a scheme"),
        pytest.param("ISSUER", "https://auth.example.com/", "must be a bare https URL", id="slash"),
        pytest.param(
            "ISSUER", "https://auth.example.com/auth", "must be a bare https URL", id="path in issuer"
        ),
        pytest.param("ISSUER", "https://auth.example.com?a=b", "must be a bare https URL", id="query"),
        pytest.param("ISSUER", "https://auth.example.com#a", "must be a bare https URL", id="fragment"),
        pytest.param("ISSUER", "https://ada@auth.example.com", "must be a bare https URL", id="user"),
        pytest.param("ISSUER", "https://", "must be a bare https URL", id="no host"),
        pytest.param("ISSUER", "https://h:port", "must be a bare https URL", id="port that is none"),
        pytest.param("ISSUER", "ftp://auth.example.com", "must be a bare https URL", id="ftp"),
        pytest.param(
            "ISSUER", "http://auth.example.com", "is http beyond loopback, where anyone", id="http issuer"
        ),
        pytest.param("ISSUER", "http://10.0.0.1", "is http beyond loopback", id="http in a network"),
        pytest.param("ISSUER", "http://0.0.0.0:8000", "is http beyond loopback", id="http on every address"),
        pytest.param("CORS_ORIGINS", "*", "holds '*'; write exact origins such as", id="every origin"),
        pytest.param("CORS_ORIGINS", "https://a.example/", "holds 'https://a.example/'; write", id="origin/"),
        pytest.param(
            "CORS_ORIGINS", "https://ok.example,null", "holds 'null'; write exact", id="null origin"
        ),
        pytest.param(
            "TRUSTED_PROXIES", "proxy", "holds 'proxy'; write addresses or networks", id="proxy name"
        ),
        pytest.param("TRUSTED_PROXIES", "10.0.0.1/8", "holds '10.0.0.1/8'; write addresses", id="host bits"),
        pytest.param("TOKEN_FORMAT", "JWT", "should be ", id="format in capitals"),
        pytest.param("SIGNING_ALGORITHM", "HS256", "should be ", id="algorithm"),
        pytest.param("JWT_TYP", "jwt", "should be ", id="typ"),
        pytest.param("ACCESS_TOKEN_SECONDS", "five", "should be ", id="no number"),
        pytest.param("ACCESS_TOKEN_SECONDS", "4", "should be ", id="too short a life"),
        pytest.param("REFRESH_OVERLAP_SECONDS", "-1", "should be ", id="overlap below 0"),
        pytest.param("REFRESH_OVERLAP_SECONDS", "61", "should be ", id="overlap above 60"),
        pytest.param("SESSION_MAX_SECONDS", "9" * 20, "should be ", id="a session beyond all dates"),
        pytest.param("PASSWORD_MIN_LENGTH", "7", "should be ", id="passwords shorter than 8"),
        pytest.param("HASH_MEMORY_KIB", "19455", "should be ", id="less memory than the policy"),
        pytest.param("HASH_PASSES", "1", "should be ", id="fewer passes than the policy"),
        pytest.param("LOG_LEVEL", "loud", "should be ", id="log level"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_sentence_that_names_it(
    load: Load, name: str, written: str, sentence: str
) -> None:
    refused = refusal(load, **{name: written})

    assert refused.startswith(f"AUTHSVC_{name} {sentence}")
    assert "\n" not in refused
    assert refused.endswith(".")


def test_a_wrong_secret_is_not_repeated(load: Load) -> None:
    for name, written in {
        "SECRET_KEYS": "hunter2",
        "DATABASE_URL": "mysql://authsvc:hunter2@db/authsvc",
        "REDIS_URL": "http://:hunter2@cache",
    }.items():
        assert "hunter2" not in refusal(load, **{name: written})


def test_the_settings_do_not_show_their_secrets(load: Load) -> None:
    settings = load(
        DATABASE_URL="postgresql://authsvc:hunter2@db/authsvc", REDIS_URL="redis://:hunter2@cache"
    )

    assert "hunter2" not in repr(settings)
    assert SECRET not in repr(settings)


def test_everything_that_is_wrong_is_said_at_once(load: Load) -> None:
    lines = refusal(
        load, ISSUR="https://auth.example.com", TOKEN_FORMAT="saml", LOG_LEVEL="loud"
    ).splitlines()

    assert [line.partition(" ")[0] for line in lines] == [
        "AUTHSVC_ISSUR",
        "AUTHSVC_TOKEN_FORMAT",
        "AUTHSVC_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DATABASE_ULR", "DATABASE_URL"),
        ("SECRET_KEY", "SECRET_KEYS"),
        ("REDIS", "REDIS_URL"),
        ("ISSUR", "ISSUER"),
        ("ACCESS_TOKEN_SECOND", "ACCESS_TOKEN_SECONDS"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(
    load: Load, name: str, meant: str
) -> None:
    assert (
        refusal(load, **{name: "x"})
        == f"AUTHSVC_{name} is no setting of authsvc. Did you mean AUTHSVC_{meant}?"
    )


@pytest.mark.parametrize("name", ["QUUX", "X", "HTTP"])
def test_a_variable_that_resembles_none_is_refused_with_where_to_look(load: Load, name: str) -> None:
    assert refusal(load, **{name: "x"}) == (
        f"AUTHSVC_{name} is no setting of authsvc. See .env.example for the list."
    )


def test_a_session_that_may_idle_longer_than_it_may_live_is_refused(load: Load) -> None:
    assert refusal(load, SESSION_IDLE_SECONDS="3601", SESSION_MAX_SECONDS="3600") == (
        "AUTHSVC_SESSION_IDLE_SECONDS is longer than AUTHSVC_SESSION_MAX_SECONDS; "
        "make it shorter, or the other longer."
    )
    assert load(SESSION_IDLE_SECONDS="3600", SESSION_MAX_SECONDS="3600").session_max_seconds == 3600


def test_a_signing_key_that_would_sign_before_it_is_known_everywhere_is_refused(load: Load) -> None:
    assert refusal(load, SIGNING_KEY_SECONDS="4199", JWKS_MAX_AGE_SECONDS="600") == (
        "AUTHSVC_SIGNING_KEY_SECONDS is too short for a key to be known everywhere before it signs; "
        "write 4200 or more (AUTHSVC_JWKS_MAX_AGE_SECONDS and an hour), or 0 to rotate by hand."
    )
    for allowed in (0, 4200):
        settings = load(SIGNING_KEY_SECONDS=str(allowed), JWKS_MAX_AGE_SECONDS="600")
        assert settings.signing_key_seconds == allowed


def test_the_defaults_are_those_of_the_contract(load: Load) -> None:
    settings = load()

    assert (settings.token_format, settings.redis_url) == ("jwt", None)
    assert settings.issuer == settings.audience_or_issuer == "http://127.0.0.1:8000"
    assert (settings.access_token_seconds, settings.refresh_overlap_seconds) == (300, 10)
    assert settings.session_idle_seconds == 14 * 24 * 3600
    assert settings.session_max_seconds == 90 * 24 * 3600
    assert (settings.sessions_per_account, settings.password_min_length) == (100, 15)
    assert (settings.signing_algorithm, settings.jwt_typ) == ("ES256", "at+jwt")
    assert (settings.signing_key_seconds, settings.purge_seconds) == (90 * 24 * 3600, 60)
    assert (settings.hash_memory_kib, settings.hash_passes, settings.hash_lanes) == (19 * 1024, 2, 1)
    assert (settings.cors_origins, settings.trusted_proxies, settings.data_dir) == ((), (), "./.authsvc")


def test_the_audience_is_the_issuer_unless_it_is_named(load: Load) -> None:
    assert load(ISSUER="https://auth.example.com").audience_or_issuer == "https://auth.example.com"
    assert load(AUDIENCE="https://api.example.com").audience_or_issuer == "https://api.example.com"


def test_what_a_caller_says_wins_over_the_environment() -> None:
    named = {PREFIX + name: value for name, value in (NEEDED | {"TOKEN_FORMAT": "jwt"}).items()}
    with patch.dict("os.environ", environment(named), clear=True):
        assert load_settings(token_format="opaque").token_format == "opaque"
