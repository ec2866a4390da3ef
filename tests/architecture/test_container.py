"""Dockerfile and compose.yaml keep their promises, as far as reading shows it; `make image` runs them."""

import re
from pathlib import Path, PurePosixPath
from typing import Any
from unittest.mock import patch

import pytest

from authsvc.environment import load_settings
from authsvc.settings import PREFIX, Settings
from tests.fixtures.command import environment
from tests.image.compose import VariableMissing, command_of, seconds, services
from tests.image.dockerfile import Stage, reaches_the_build, stages
from tests.image.report import documented

GIVEN = {"AUTHSVC_SECRET_KEYS": "a secret of 32 characters at least"}
OF_OURS = ["migrate", "authsvc"]
PORT = "8000"


@pytest.fixture
def image(repository: Path) -> list[Stage]:
    return stages(repository / "Dockerfile")


@pytest.fixture
def composed(repository: Path) -> dict[str, dict[str, Any]]:
    return services(repository / "compose.yaml", GIVEN)


def test_the_image_is_built_in_two_stages_of_one_base(image: list[Stage]) -> None:
    build, final = image

    assert build.base == final.base
    assert re.fullmatch(r"python:3\.\d+-slim", final.base)
    # Nothing of the build but the finished environment is in the image.
    assert [(copy.flags["from"], copy.words) for copy in final.all("COPY")] == [
        (build.name, ["/opt/authsvc", "/opt/authsvc"])
    ]


def test_the_packages_are_those_of_the_lock_checked_by_their_hashes(image: list[Stage]) -> None:
    installs = [run.rest for run in image[0].all("RUN") if "pip " in run.rest]

    assert installs[0] == "pip install --require-hashes --no-deps -r requirements.lock"
    # What comes after it is the service alone, built by what the lock holds.
    assert all(step.count("--no-deps") == step.count("pip ") for step in installs)
    assert ["--no-build-isolation" in step for step in installs[1:]] == [True]


def test_the_image_runs_as_a_user_that_is_numbered_and_not_root(image: list[Stage]) -> None:
    final = image[-1]
    user, group = final.last("USER").rest.split(":")

    assert int(user) > 0
    assert int(group) > 0
    [made] = [run.words for run in final.all("RUN") if "useradd" in run.words]
    assert made[made.index("--uid") + 1] == user
    names = [instruction.name for instruction in final.instructions]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


@pytest.mark.parametrize("name", ["CMD", "HEALTHCHECK"])
def test_the_image_starts_programs_without_a_shell_that_would_keep_signals(
    image: list[Stage], name: str
) -> None:
    instruction = image[-1].last(name)

    assert instruction.is_exec_form or instruction.rest.startswith("CMD [")


def test_one_port_is_listened_at_looked_at_and_published(
    image: list[Stage], composed: dict[str, dict[str, Any]]
) -> None:
    assert image[-1].last("EXPOSE").words == [PORT]
    assert f":{PORT}/healthz" in image[-1].last("HEALTHCHECK").rest
    assert composed["authsvc"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_everything_the_image_copies_is_there_and_reaches_the_build(
    image: list[Stage], repository: Path
) -> None:
    ignored = (repository / ".dockerignore").read_text()
    sources = [word for copy in image[0].all("COPY") for word in copy.words[:-1]]

    assert {"requirements.lock", "src", "alembic"} <= set(sources)
    assert [source for source in sources if not (repository / source).exists()] == []
    assert [source for source in sources if not reaches_the_build(PurePosixPath(source), ignored)] == []
    assert reaches_the_build(PurePosixPath("src/authsvc/cli/serving.py"), ignored)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".authsvc/secret",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
        "src/authsvc.egg-info/PKG-INFO",
        "src/authsvc/__pycache__/app.pyc",
        "alembic/versions/__pycache__/first.pyc",
    ],
)
def test_what_is_secret_or_made_does_not_reach_the_build(repository: Path, path: str) -> None:
    assert not reaches_the_build(PurePosixPath(path), (repository / ".dockerignore").read_text())


def test_the_table_of_what_was_run_has_every_line_of_both_files(
    image: list[Stage], composed: dict[str, dict[str, Any]], repository: Path
) -> None:
    said = [[where, text] for where, text, _ in documented(repository)]

    instructions = [one for stage in image for one in (stage.origin, *stage.instructions)]
    lines = [[f"Dockerfile:{one.line}", one.text] for one in instructions]
    keys = [
        [f"compose: {name}", f"{key}: {'…' if key == 'environment' else value}"]
        for name, service in composed.items()
        for key, value in service.items()
    ]
    assert said == lines + keys, "run: python -m tests.image.run --write"


def test_compose_demands_a_secret_and_says_how_to_make_one(repository: Path) -> None:
    with pytest.raises(VariableMissing, match=r"AUTHSVC_SECRET_KEYS: make one with: python3 -c "):
        services(repository / "compose.yaml", {})


@pytest.mark.parametrize("name", OF_OURS)
def test_what_compose_sets_is_a_configuration_the_service_takes(
    composed: dict[str, dict[str, Any]], name: str
) -> None:
    variables = composed[name]["environment"]

    with patch.dict("os.environ", environment(variables), clear=True):
        settings = load_settings()

    assert {variable.removeprefix(PREFIX).lower() for variable in variables} <= settings.model_fields_set
    stores = [settings.database_url, settings.redis_url]
    hosts = [re.search(r"[@/](\w+):\d+/", url.get_secret_value()) for url in stores if url]
    assert [host and host[1] for host in hosts] == ["postgres", "redis"]


@pytest.mark.parametrize("name", OF_OURS)
def test_compose_gives_the_service_nothing_to_write_to_but_a_small_tmp(
    composed: dict[str, dict[str, Any]], name: str
) -> None:
    service = composed[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp:size=64m"]  # noqa: S108 - the folder in the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in service
    assert "privileged" not in service


def test_compose_starts_the_service_once_the_migrations_are_through_and_both_stores_answer(
    composed: dict[str, dict[str, Any]],
) -> None:
    assert composed["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert composed["authsvc"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "redis": {"condition": "service_healthy"},
    }
    for store in ("postgres", "redis"):
        assert command_of(composed[store]["healthcheck"])
    # A process on the socket alone is the one that prepares the database.
    assert "--host=127.0.0.1" in composed["postgres"]["healthcheck"]["test"]


def test_compose_migrates_once_and_keeps_all_else_running(composed: dict[str, dict[str, Any]]) -> None:
    policies = {name: service["restart"] for name, service in composed.items()}

    assert policies == dict.fromkeys(["authsvc", "postgres", "redis"], "unless-stopped") | {"migrate": "no"}
    assert composed["migrate"]["command"][-2:] == ["db", "upgrade"]
    assert composed["migrate"]["healthcheck"] == {"disable": True}


def test_compose_waits_longer_for_the_service_to_stop_than_it_takes(
    composed: dict[str, dict[str, Any]],
) -> None:
    longest = sum(Settings.model_fields[name].default for name in ("drain_seconds", "stop_seconds"))
    assert seconds(composed["authsvc"]["stop_grace_period"]) > longest


def test_compose_has_a_redis_that_forgets_nothing_and_stores_nobody_else_can_reach(
    composed: dict[str, dict[str, Any]],
) -> None:
    command = composed["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))

    assert options == {"--maxmemory-policy": "noeviction", "--appendonly": "yes"}
    assert (composed["postgres"]["image"], composed["redis"]["image"]) == ("postgres:17", "redis:7")
    for store, folder in [("postgres", "/var/lib/postgresql/data"), ("redis", "/data")]:
        assert composed[store]["volumes"] == [f"{store}:{folder}"]
        assert "ports" not in composed[store]
