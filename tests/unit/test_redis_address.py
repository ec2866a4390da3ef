"""What AUTHSVC_REDIS_URL may say, and what is made of it."""

from typing import Any

import pytest

from authsvc.errors import OperatorError
from authsvc.storage.redis_address import RedisAddress
from authsvc.storage.redis_client import NAMESPACE
from authsvc.storage.redis_refusal import ACL_RULE


def read(url: str) -> RedisAddress:
    return RedisAddress.read(url, timeout_seconds=0.25)


def settings_of(connection: Any) -> dict[str, Any]:
    names = ("host", "port", "path", "db", "username", "password", "socket_timeout", "protocol")
    return {name: getattr(connection, name) for name in names if hasattr(connection, name)}


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("redis://cache:6380/0", (("cache", 6380),)),
        ("redis://cache", (("cache", 6379),)),
        ("redis:///1", (("localhost", 6379),)),
        ("redis://a,b:7001,[::1]:7002/0", (("a", 6379), ("b", 7001), ("::1", 7002))),
        ("redis+sentinel://a,[::1]:7002/ours", (("a", 26379), ("::1", 7002))),
        ("unix:///run/redis.sock?db=2", ()),
    ],
)
def test_the_places_that_it_names(url: str, places: tuple[tuple[str, int], ...]) -> None:
    assert read(url).places == places


def test_each_place_is_spoken_to_alike() -> None:
    address = read("redis://ada:p%40ss%2Fword%2C@a:7001,b:7002/3?socket_timeout=60&decode_responses=true")

    assert settings_of(address.connection(("b", 7002))) == {
        "host": "b",
        "port": 7002,
        "db": 3,
        "username": "ada",
        "password": "p@ss/word,",
        "socket_timeout": 0.25,  # AUTHSVC_REDIS_TIMEOUT_SECONDS, whatever the URL says
        "protocol": 2,
    }


def test_sentinels_have_a_login_of_their_own_and_no_databases() -> None:
    address = read(
        "redis+sentinel://ada:hunter2@a,b/our%20primary/4?sentinel_username=eve&sentinel_password=hunter%203"
    )

    assert address.primary_name == "our primary"
    redis, sentinel = address.connection(("c", 1)), address.to_sentinel(("a", 26379))
    assert (redis.username, redis.password, redis.db) == ("ada", "hunter2", 4)
    assert (sentinel.username, sentinel.password, sentinel.db) == ("eve", "hunter 3", 0)


def test_sentinels_are_not_told_the_password_of_redis() -> None:
    sentinel = read("redis+sentinel://:hunter2@a/ours/4").to_sentinel(("a", 26379))
    assert (sentinel.username, sentinel.password) == (None, None)


def test_tls_is_spoken_to_redis_and_to_its_sentinels() -> None:
    address = read("rediss+sentinel://a/ours/0?ssl_check_hostname=false")
    kinds = {type(address.connection(("c", 1))).__name__, type(address.to_sentinel(("a", 1))).__name__}
    assert kinds == {"SSLConnection"}


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache:notaport/0",
        "redis://cache:99999/0",
        "redis://good,bad:notaport/0",
        "redis+sentinel://good,bad:notaport/ours/0",
        "redis://" + "a" * 64 + "/0",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(OperatorError, match="AUTHSVC_REDIS_URL cannot be read as a URL") as refused:
        read(url.replace("://", "://:hunter2@"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "sentinel_password=hunter2",
        "ssl_ca_certs=/ca.pem",
        "hunter2=1",
    ],
)
def test_a_parameter_that_the_way_does_not_have_is_refused(query: str) -> None:
    with pytest.raises(OperatorError, match="AUTHSVC_REDIS_URL has a parameter") as refused:
        read(f"redis://cache/0?{query}")
    assert "hunter2" not in str(refused.value)


def test_a_value_that_the_driver_does_not_take_is_refused() -> None:
    with pytest.raises(OperatorError, match="or a value that it does not take"):
        read("rediss://cache/0?ssl_cert_reqs=perhaps")


def test_the_rule_for_users_is_about_our_keys() -> None:
    assert ACL_RULE.startswith(f"~{NAMESPACE}* ")
