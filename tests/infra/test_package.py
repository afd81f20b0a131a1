"""The package that is deployed: built for real, looked through, and started by the worker's runtime."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import cold_start
from scripts.build_package import FOR_DEVELOPERS, pack
from tessera.plan import Step
from tests.infra.conftest import ROOT, run
from tests.support.images import decode, encode, textured
from tests.support.jobs import expected_pixels
from tests.test_repository import DEPLOYED, OWN_PACKAGES, read_pins

# docs/decisions/0022-package-size.md says what fills it.
MOST_UNPACKED = 300_000_000
INDEX = """
import json, os, sys
from azure_functions_runtime import loader
functions = loader.index_function_app(os.path.join(os.getcwd(), os.environ["PYTHON_SCRIPT_FILE_NAME"]))
files = {name: str(getattr(module, "__file__", None)) for name, module in sys.modules.items()}
foreign = [name for name, file in files.items() if "/.venv/" in file]
print(json.dumps({"functions": sorted(f.get_function_name() for f in functions), "foreign": sorted(foreign)}))
"""

# Everything of a job, by code and libraries of the package; what drives it stays at home.
JOBS = """
import sys
from pathlib import Path
from random import Random
import activities, cv2, isal, numpy, pyvips, tessera
from tessera import naming
from tessera.codecs import codec_for
from tessera.plan import Output, Step
from tessera.planner import Limits
from tests.support.driver import run_job
from tests.support.memory_store import MemoryStore
package, upload, result, format, *names = sys.argv[1:]
for module in (activities, cv2, isal, numpy, pyvips, tessera):
    assert module.__file__.startswith(package), module.__file__
store = MemoryStore()
job, outcome = run_job(
    store, Path(upload).read_bytes(), [Step(operation=name) for name in names], Output(format=format),
    limits=Limits(min_tile_pixels=4096, max_tile_pixels=8192), random=Random(1),
)
assert outcome.result is not None, outcome.fault
print(outcome.tiles)
name = naming.result(job, codec_for(Output(format=format)).extension)
Path(result).write_bytes(store.read(naming.RESULTS, name))
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package with the script that deployments use."""
    folder = tmp_path_factory.mktemp("package") / "functions"
    done = run(sys.executable, "scripts/build_package.py", "--folder", folder)
    if "Packages are built for" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def bare_python(package: Path) -> dict[str, Any]:
    """Return how to run Python with the package and nothing else: not even the interpreter's own packages."""
    settings = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    python_path = f"{package / '.python_packages/lib/site-packages'}{os.pathsep}{package}"
    base = Path(getattr(sys, "_base_executable", sys.executable))
    return {
        "command": [str(base), "-S", "-s"],
        "environment": {**settings, "PATH": os.defpath, "PYTHONPATH": python_path},
    }


def test_only_the_app_and_its_packages_are_in_it(package: Path) -> None:
    assert {path.name for path in package.iterdir()} - {"__pycache__"} == DEPLOYED | {".python_packages"}
    found = {path.relative_to(package).parts[0] for path in package.rglob("*.py")}
    assert found & set(OWN_PACKAGES) == {"function_app", "orchestrations", "activities", "tessera"}


def test_our_compiled_code_is_in_it_and_its_source_is_not(package: Path) -> None:
    kinds = sorted(path.suffix for path in (package / "tessera/compiled").iterdir() if path.is_file())
    assert kinds == [".py", ".so"]


def test_it_holds_the_locked_packages_and_no_others(package: Path) -> None:
    site = package / ".python_packages/lib/site-packages"
    installed = {path.name.removesuffix(".dist-info").replace("-", "==") for path in site.glob("*.dist-info")}
    locked = {pin.replace("-", "_").replace(".", "_") for pin in read_pins("requirements.txt")}
    assert {name.lower().replace("-", "_").replace(".", "_") for name in installed} == locked


def test_no_tests_no_tools_no_secrets_are_in_it(package: Path) -> None:
    unwanted = [
        "tests",
        "local.settings.json",
        ".env",
        "drill",
        "emulator",
        "tessera_client",
        "streamlit",
        "pytest",
        "pip",
    ]
    assert [str(path) for name in unwanted for path in package.rglob(name)] == []


def unpacked(package: Path) -> int:
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def test_it_is_small_enough(package: Path) -> None:
    assert unpacked(package) < MOST_UNPACKED


def test_the_archive_is_the_folder(package: Path) -> None:
    with zipfile.ZipFile(package.with_suffix(".zip")) as archive:
        names = archive.namelist()
    assert names == sorted(names, key=Path)
    assert set(names) == {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}


def test_the_archive_depends_on_nothing_but_the_files(package: Path, tmp_path: Path) -> None:
    archives: list[bytes] = []
    for name in ("one", "two"):
        folder = tmp_path / name / "functions"
        shutil.copytree(package / "tessera", folder)
        os.utime(folder / "naming.py", (len(archives) * 10_000, 1_000_000))
        pack(folder, folder.with_suffix(".zip"))
        archives.append(folder.with_suffix(".zip").read_bytes())
    assert archives[0] == archives[1]


def test_the_app_starts_with_nothing_but_the_package(package: Path, bare_python: dict[str, Any]) -> None:
    done = subprocess.run(
        [*bare_python["command"], "-c", "import main; print(type(main.app).__name__)"],
        cwd=package,
        env=bare_python["environment"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "DFApp"), done.stderr


def test_the_workers_runtime_indexes_every_function(
    package: Path, bare_python: dict[str, Any], tmp_path: Path
) -> None:
    import azure_functions_runtime

    # The worker brings its own code and finds everything else in the package, as on Azure.
    (tmp_path / "azure_functions_runtime").symlink_to(Path(azure_functions_runtime.__file__).parent)
    environment = dict(bare_python["environment"])
    environment["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    done = subprocess.run(
        [*bare_python["command"], "-c", INDEX],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    checkout = run(sys.executable, "-c", INDEX, env={**bare_python["environment"], "PYTHONPATH": ""})
    assert found["functions"] == json.loads(checkout.stdout.splitlines()[-1])["functions"]
    assert {"submit_job", "process_image", "process_tile", "purge_old"} <= set(found["functions"])
    assert [name for name in found["foreign"] if not name.startswith("azure_functions_runtime")] == []


@pytest.mark.parametrize(
    ("extension", "format", "names"),
    [(".jpg", "png", ["median_blur", "canny"]), (".png", "tiff", ["clahe", "gaussian_blur", "rotate"])],
)
def test_its_jobs_give_what_opencv_gives(
    package: Path, bare_python: dict[str, Any], tmp_path: Path, extension: str, format: str, names: list[str]
) -> None:
    upload, result = tmp_path / f"photo{extension}", tmp_path / "result"
    upload.write_bytes(encode(textured(1301, 900, seed=8), extension))
    for name in ("tests", "tessera_local"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = dict(bare_python["environment"])
    environment["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    arguments = [str(package), str(upload), str(result), format, *names]
    done = subprocess.run(
        [*bare_python["command"], "-c", JOBS, *arguments],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1
    pipeline = [Step(operation=name) for name in names]
    np.testing.assert_array_equal(
        decode(result.read_bytes()), expected_pixels(upload.read_bytes(), pipeline), strict=True
    )


def test_the_benchmark_of_it_runs(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cold_start, "PACKAGE", package)
    monkeypatch.setattr(cold_start, "RUNS", 1)
    cold_start.main()
    said = capsys.readouterr().out
    assert f"unpacked {unpacked(package) / 1e6:.1f} MB" in said
    assert re.search(r"import main, median of 1: \d+\.\d\d s by the clock", said)


def test_what_only_developers_read_is_left_out(package: Path) -> None:
    assert [str(path) for path in package.rglob("*") if path.suffix in FOR_DEVELOPERS] == []
    assert next(package.rglob("cryptography*/licenses/*"), None) is not None, "licences stay"


def test_another_machine_is_refused_with_what_to_do() -> None:
    code = (
        "import platform, runpy, sys; platform.system = lambda: 'Darwin'; sys.argv = ['build_package.py']; "
    )
    code += "runpy.run_path('scripts/build_package.py', run_name='__main__')"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 1
    assert "Packages are built for ('Linux', 'x86_64', (3, 13)), and this is ('Darwin'" in done.stderr
    assert "Use CI or a container." in done.stderr
