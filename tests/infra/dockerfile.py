"""Runs the steps of a Dockerfile in a folder, as far as that goes without Docker.

Absolute paths of the image become folders below one root. Left out: the base image (the Python that runs the
tests stands in for it), pip (see `install`), the account that `useradd` makes, and the isolation.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

INSTALL = re.compile(
    r"python -m venv (?P<venv>\S+) && "
    r"(?P=venv)/bin/python -m pip install --no-cache-dir --require-hashes -r (?P<lock>\S+)"
)
PATHS = re.compile(r"(?<![\w./])/(app|venv)\b")


@dataclass
class Image:
    """The last stage: its files, environment, user, port, and what it runs."""

    root: Path
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    port: str = ""
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def placed(self, text: str) -> str:
        """Return *text* with the image's paths turned into those of this machine."""
        return PATHS.sub(lambda match: f"{self.root}/{match[1]}", text)

    def folder(self) -> Path:
        return Path(self.placed(self.workdir))


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return keyword and argument of each instruction, with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


def build(dockerfile: Path, context: Path, root: Path) -> Image:
    """Run the instructions; an unknown one is an error."""
    image = Image(root)
    root.mkdir(mode=0o755, exist_ok=True)
    for keyword, argument in instructions(dockerfile):
        match keyword:
            case "FROM":
                image = Image(root, left_out=[*image.left_out, f"FROM {argument}"])
            case "WORKDIR":
                image.workdir = argument
                image.folder().mkdir(parents=True, exist_ok=True)
            case "COPY" if argument.startswith("--from="):
                # All stages share the root, so the file is where it should go.
                _, source, target = argument.split()
                assert source == target
                assert Path(image.placed(target)).exists()
            case "COPY":
                copy(image, context, argument)
            case "RUN" if argument.startswith("useradd "):
                image.left_out.append(f"RUN {argument}")
            case "RUN":
                install(image, argument)
            case "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in shlex.split(argument))
            case "USER":
                image.user = argument
            case "EXPOSE":
                image.port = argument
            case "HEALTHCHECK":
                image.health = json.loads(argument[argument.index("[") :])
            case "CMD":
                image.command = json.loads(argument)
            case _:
                raise NotImplementedError(f"{keyword} {argument}")
    return image


def copy(image: Image, context: Path, argument: str) -> None:
    """Copy what .dockerignore lets into the context."""
    source, target = argument.split()
    ignored = GitIgnoreSpec.from_lines((context / ".dockerignore").read_text().splitlines())
    assert not ignored.match_file(source), f".dockerignore keeps {source} out"
    destination = image.folder() / target
    if (context / source).is_dir():
        shutil.copytree(context / source, destination, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(context / source, destination)


def install(image: Image, argument: str) -> None:
    """Make the virtual environment, with the locked packages as the development environment holds them.

    Their versions are the same (tests/test_repository.py); installing them again would take a minute.
    """
    made = INSTALL.fullmatch(argument)
    assert made is not None, f"not understood: RUN {argument}"
    venv = image.placed(made["venv"])
    interpreter = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([interpreter, "-m", "venv", "--without-pip", venv], check=True)
    site = next(Path(venv).glob("lib/python*/site-packages"))
    for name in re.findall(r"^([a-z0-9._-]+)==", (image.folder() / made["lock"]).read_text(), re.MULTILINE):
        link(distribution(name), site)


def link(package: Distribution, site: Path) -> None:
    """Put everything that *package* installed, but its commands, into another environment."""
    for name in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
        (site / name).symlink_to(str(package.locate_file(name)))


def start(image: Image, port: int, log: Path) -> "subprocess.Popen[bytes]":
    """Start what the image runs, as its user where this process may do that, on another port."""
    account: dict[str, Any] = {}
    if can_become_another_user():
        account = {"user": int(image.user), "group": int(image.user), "extra_groups": []}
    with log.open("wb") as output:
        return subprocess.Popen(
            adapted(image, image.command, port),
            cwd=image.folder(),
            env=environment_of(image),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **account,
        )


def can_become_another_user() -> bool:
    """Tell whether this is root, with a Python and packages that aren't in somebody's closed home."""
    used = (Path(os.path.realpath(sys.executable)), Path(sys.prefix).resolve() / "lib")
    folders = {folder for path in used for folder in path.parents}
    return os.getuid() == 0 and all(folder.stat().st_mode & 0o001 for folder in folders)


def adapted(image: Image, command: list[str], port: int) -> list[str]:
    python = str(image.root / "venv/bin/python") if command[0] == "python" else command[0]
    return [python, *(part.replace(image.port, str(port)) for part in command[1:])]


def environment_of(image: Image) -> dict[str, str]:
    """Return the environment: that of the image, and nothing of this process."""
    given = {
        name: image.placed(value).replace("$PATH", os.defpath) for name, value in image.environment.items()
    }
    return {"PATH": os.defpath, **given}
