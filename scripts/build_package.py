"""Build the function app as it is deployed: what .funcignore leaves, and the packages of requirements.txt.

    python scripts/build_package.py
    az functionapp deployment source config-zip --src dist/functions.zip ... --build-remote false

The same files give the same bytes. It has to run where the app runs, on Linux (x86-64) with Python 3.13,
since some packages hold compiled code.
"""

import argparse
import compileall
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from tessera.compiled import library

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = Path(".python_packages/lib/site-packages")
RUNS_ON = ("Linux", "x86_64", (3, 13))
EPOCH = (1980, 1, 1, 0, 0, 0)
FOR_DEVELOPERS = (".pyi", ".pyx", ".pxd", ".c", ".h", ".a")
"""Kinds of files that only type checkers and compilers read."""
WITH_SYMBOLS = ("aiohttp", "cryptography", "frozenlist", "multidict", "propcache")
"""Packages whose compiled code has the symbols of a debugger. What makes pixels stays as its wheel has it."""
FAST = 3
"""Of the archive: level 6 takes twice as long for 5 % less."""


class PackageFailed(Exception):
    """The package can't be built here; the message says why."""


def main() -> int:
    arguments = parse_arguments()
    try:
        build(arguments.folder)
    except PackageFailed as error:
        print(error, file=sys.stderr)
        return 1
    archive = arguments.folder.with_suffix(".zip")
    pack(arguments.folder, archive)
    unpacked = sum(path.stat().st_size for path in files(arguments.folder))
    print(f"{arguments.folder}: {unpacked / 1e6:.1f} MB; {archive}: {archive.stat().st_size / 1e6:.1f} MB")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "dist" / "functions", help="where it goes")
    return parser.parse_args()


def build(folder: Path) -> None:
    """Lay out the package in *folder*, which is made anew.

    Raises
    ------
    PackageFailed
        When this isn't the platform that the app runs on, or a package can't be installed.
    """
    here = (platform.system(), platform.machine(), sys.version_info[:2])
    if here != RUNS_ON:
        raise PackageFailed(f"Packages are built for {RUNS_ON}, and this is {here}. Use CI or a container.")
    if library() is None:
        raise PackageFailed("Packages hold compiled code: install a C compiler, then run `make setup` again.")
    if shutil.which("strip") is None:
        raise PackageFailed("Packages are built for the smallest size: install binutils, for its strip.")
    shutil.rmtree(folder, ignore_errors=True)
    for path in deployed():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    install(folder / PACKAGES)
    slim(folder / PACKAGES)
    # An instance may have nowhere to keep compiled code: each cold start would compile it all again.
    compileall.compile_dir(folder, quiet=1, stripdir=folder, invalidation_mode=UNCHECKED, workers=0)


UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def deployed() -> Iterator[Path]:
    """Yield the files of the app, relative to the root."""
    lines = [(ROOT / name).read_text().splitlines() for name in (".gitignore", ".funcignore")]
    ignored = GitIgnoreSpec.from_lines([line for some in lines for line in some])
    for parent, folders, names in os.walk(ROOT):
        base = Path(parent).relative_to(ROOT)
        folders[:] = sorted(name for name in folders if not ignored.match_file(f"{base / name}/"))
        yield from (base / name for name in sorted(names) if not ignored.match_file(str(base / name)))


def install(target: Path) -> None:
    """Install what requirements.txt locks, without what doesn't run there."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--require-hashes", "-r", "requirements.txt"]
    command += ["--target", str(target)]
    # As in scripts/setup.sh: pyvips must not be built against the libvips of this machine.
    environment = {**os.environ, "PKG_CONFIG_LIBDIR": os.devnull}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise PackageFailed("The packages of requirements.txt can't be installed; pip's message is above.")


def slim(target: Path) -> None:
    """Remove what doesn't run there."""
    # Commands that nobody calls there, and tests, which azure-functions-durable even installs as `tests`.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for folder in sorted(target.rglob("tests"), reverse=True):
        if folder.is_dir():
            shutil.rmtree(folder)
    for path in files(target):
        if path.suffix in FOR_DEVELOPERS:
            path.unlink()
    libraries = [path for package in WITH_SYMBOLS for path in files(target / package) if path.suffix == ".so"]
    if subprocess.run(["strip", "--strip-unneeded", *libraries], check=False).returncode:
        raise PackageFailed("Symbols can't be stripped; strip's message is above.")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, archive: Path) -> None:
    """Write *folder* as a zip archive whose bytes depend on nothing but the files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=FAST) as package:
        for path in files(folder):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, path.read_bytes(), compresslevel=FAST)


if __name__ == "__main__":
    sys.exit(main())
