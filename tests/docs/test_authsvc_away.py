"""What each guard does while authsvc cannot be asked: it opens to nobody, or goes on with the keys it has."""

from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import pytest

from tests.docs.conftest import Authsvc, running_authsvc
from tests.docs.software import NODE
from tests.docs.stacks import KINDS, PROGRAMS, guarded
from tests.fixtures.processes import free_port


@pytest.mark.parametrize("authsvc", ["jwt"], indirect=True)
@pytest.mark.parametrize("name", KINDS)
def test_nobody_gets_in_by_asking(authsvc: Authsvc, name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    path = f"/{token_hex()}" if kind.is_proxy else kind.guarded_path
    with guarded(kind, free_port(), tmp_path) as running:
        assert running.get(path, authsvc.login()).status_code == kind.away_status
        assert running.backend is None or path not in running.backend.log


def test_who_checks_the_signature_goes_on_with_the_keys_it_has(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    names = [name for name in PROGRAMS if name != "express" or NODE.path]
    with running_authsvc(tmp_path_factory.mktemp("mortal"), "jwt") as mortal, ExitStack() as after:
        token = mortal.login()
        services = {
            name: after.enter_context(
                guarded(PROGRAMS[name], mortal.server.port, tmp_path_factory.mktemp(name))
            )
            for name in names
        }

        def statuses(path: str) -> dict[str, int]:
            return {name: service.get(path, token).status_code for name, service in services.items()}

        assert statuses("/catalogue") == statuses("/orders") == dict.fromkeys(names, 200)
        mortal.server.stop()

        assert statuses("/catalogue") == dict.fromkeys(names, 200)
        assert statuses("/orders") == dict.fromkeys(names, 503)
