"""Carry out the instructions of the Dockerfile, one after another."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath
from string import Template

from tests.image.container import Image, in_build
from tests.image.dockerfile import Instruction, Stage, reaches_the_build
from tests.image.report import Report


class Build:
    """One build of all stages; the last one is the image."""

    def __init__(self, context: Path, base: Path, wheels: Path, folder: Path, report: Report) -> None:
        self._context = context
        self._ignored = (context / ".dockerignore").read_text()
        self._base = base
        self._wheels = wheels
        self._folder = folder
        self._report = report
        self._stages: dict[str | None, Image] = {}
        self._carry_out = {
            "WORKDIR": self._workdir,
            "ENV": self._env,
            "RUN": self._run,
            "COPY": self._copy,
            "USER": self._user,
            "EXPOSE": self._expose,
            "HEALTHCHECK": self._healthcheck,
            "CMD": self._cmd,
        }

    def stage(self, stage: Stage) -> Image:
        """Carry out one stage. An instruction that is not known here is a KeyError."""
        root = self._folder / f"stage-{len(self._stages) + 1}"
        subprocess.run(["cp", "-a", "--reflink=auto", str(self._base), str(root)], check=True)
        image = Image(root, hosts=self._folder / "hosts")
        self._report.stood_in(stage.origin, "Debian's own Python of that version, from `debootstrap`")
        for instruction in stage.instructions:
            image = self._carry_out[instruction.name](image, instruction)
        self._stages[stage.name] = image
        return image

    def _workdir(self, image: Image, instruction: Instruction) -> Image:
        (image.root / instruction.rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self._report.ran(instruction, "made, and used by what follows")
        return replace(image, folder=instruction.rest)

    def _env(self, image: Image, instruction: Instruction) -> Image:
        pairs = (word.partition("=") for word in instruction.words)
        known = image.environment
        self._report.ran(instruction, "set for what follows")
        return image.having({name: Template(value).substitute(known) for name, _, value in pairs})

    def _run(self, image: Image, instruction: Instruction) -> Image:
        command = in_build(image, ["/bin/sh", "-c", instruction.rest], wheels=self._wheels)
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
        self._report.ran(instruction, "run as written, without a network")
        return image

    def _copy(self, image: Image, instruction: Instruction) -> Image:
        *sources, target = instruction.words
        origin = self._stages[instruction.flags["from"]].root if instruction.flags else None
        into = image.root / PurePosixPath(image.folder, target).relative_to("/")
        for source in sources:
            self._copy_one(origin, source, into, is_folder=target.endswith("/"))
        way = "copied from the first stage" if origin else "copied, by the rules of .dockerignore"
        self._report.ran(instruction, way)
        return image

    def _copy_one(self, origin: Path | None, source: str, into: Path, *, is_folder: bool) -> None:
        found = (origin or self._context) / source.lstrip("/")
        if found.is_dir():
            left_out = None if origin else self._left_out
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True, ignore=left_out)
            return
        if origin is None and not reaches_the_build(PurePosixPath(source), self._ignored):
            raise FileNotFoundError(f"{source} is held back by .dockerignore")
        shutil.copy2(found, into / found.name if is_folder else into)

    def _left_out(self, folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(self._context)
        return [name for name in names if not reaches_the_build(PurePosixPath(inside / name), self._ignored)]

    def _user(self, image: Image, instruction: Instruction) -> Image:
        self._report.ran(instruction, "everything after it runs as this user")
        return replace(image, user=instruction.rest)

    def _expose(self, image: Image, instruction: Instruction) -> Image:
        self._report.ran(instruction, "the port that is asked below")
        return image

    def _healthcheck(self, image: Image, instruction: Instruction) -> Image:
        kind, _, program = instruction.rest.partition(" ")
        if kind != "CMD":
            raise ValueError(f"HEALTHCHECK {kind} is not known here")
        self._report.ran(instruction, "run until it says 0, and again when the service is gone")
        words = replace(instruction, rest=program).words
        return replace(image, health=tuple(words))

    def _cmd(self, image: Image, instruction: Instruction) -> Image:
        self._report.ran(instruction, "run as process 1, and once more with `--workers 2`")
        return replace(image, command=tuple(instruction.words))
