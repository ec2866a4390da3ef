"""The manifest of docs/production.md fits the settings that it names and the service's own paths."""

from typing import Any

import pytest
import yaml

from authsvc.settings import Settings
from tests.docs.pages import Page
from tests.fixtures.service import Service

PAGE = "docs/production.md"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    (block,) = [block for block in Page(PAGE).blocks if block.language == "yaml"]
    return dict(yaml.safe_load(block.code))


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (only,) = manifest["containers"]
    return dict(only)


def test_a_pod_is_given_longer_to_stop_than_the_service_takes(manifest: dict[str, Any]) -> None:
    (drain,) = container(manifest)["env"]
    stop = Settings.model_fields["stop_seconds"].default

    assert drain["name"] == "AUTHSVC_DRAIN_SECONDS"
    assert manifest["terminationGracePeriodSeconds"] > int(drain["value"]) + stop


def test_a_start_that_waits_for_its_database_is_not_killed(manifest: dict[str, Any]) -> None:
    probe = container(manifest)["startupProbe"]

    patience = probe["periodSeconds"] * probe["failureThreshold"]
    assert patience > Settings.model_fields["start_wait_seconds"].default


@pytest.mark.only("sqlite-jwt", reason="the paths are the same on every stack")
async def test_every_probe_asks_a_path_that_answers(service: Service, manifest: dict[str, Any]) -> None:
    probes = [value for name, value in container(manifest).items() if name.endswith("Probe")]

    answers = [(await service.http.get(probe["httpGet"]["path"])).status_code for probe in probes]
    assert answers == [200, 200, 200]
