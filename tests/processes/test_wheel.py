"""The wheel works where no checkout is: it brings its migrations and the pages' files along."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from authsvc.storage.migrations import newest_revision
from tests.fixtures.command import Finished, environment
from tests.fixtures.installation import Installation, Installer

LIMIT_SECONDS = 60


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout by the build backend itself, which fetches nothing."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=repository)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel; only its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = str(folder / "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install"]
    run([*pip, "--quiet", "--no-deps", "--no-index", str(wheel)], cwd=folder)
    # A path file inside a folder that a path file names is not read, so the editable checkout stays unseen.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture(params=["postgres", "sqlite"])
def empty(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Installation]:
    with installer.installed(request.param, migrated=False) as made:
        yield made


def run(command: list[str], *, cwd: Path, settings: dict[str, str] | None = None) -> Finished:
    # Where the tests themselves find the checkout is no place for the installed program to look.
    variables = environment(settings or {}) | {"PYTHONPATH": ""}
    done = subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(done.returncode, done.stdout, done.stderr)


def test_it_holds_every_file_that_is_not_python(wheel: Path, repository: Path) -> None:
    static = repository / "src/authsvc/endpoints/static"
    expected = {f"authsvc/endpoints/static/{file.name}" for file in static.iterdir()}
    expected |= {
        f"authsvc/_alembic/versions/{file.name}" for file in repository.glob("alembic/versions/*.py")
    }
    expected |= {"authsvc/_alembic/env.py", "authsvc/_alembic/script.py.mako"}

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert expected - names == set()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert [name for name in names if name.startswith(("tests/", "docs/")) or "__pycache__" in name] == []


def test_the_program_it_installs_comes_from_it(installed: Path) -> None:
    where = run(
        [str(installed / "bin/python"), "-c", "import authsvc; print(authsvc.__file__)"], cwd=installed
    )

    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_it_upgrades_a_database_and_knows_that_it_is_current(installed: Path, empty: Installation) -> None:
    program = str(installed / "bin/authsvc")

    def db(command: str) -> Finished:
        return run([program, "db", command, "--json"], cwd=empty.folder, settings=empty.settings)

    assert db("upgrade").json() == {"before": None, "now": newest_revision()}
    assert db("current").json() == {"now": newest_revision(), "needed": newest_revision()}


def test_it_finds_the_files_of_its_pages(installed: Path) -> None:
    script = (
        "from authsvc.endpoints.docs import MEDIA_TYPES, read\n"
        "for name in MEDIA_TYPES: print(len(read(name).content))"
    )

    sizes = run([str(installed / "bin/python"), "-c", script], cwd=installed).stdout.split()

    assert len(sizes) == 4
    assert all(int(size) > 0 for size in sizes)
