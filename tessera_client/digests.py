"""Is a fetched file the one that the service made?"""

import hashlib
from io import BufferedRandom

from tessera_client.errors import DownloadFailed
from tessera_client.models import Result

_AGAIN = "Fetch it again."


def verify(file: BufferedRandom, result: Result) -> None:
    """Compare a whole file with the digests that the API tells: SHA-256 of all, or MD5 of each block.

    Raises
    ------
    DownloadFailed
        When a digest is another.
    """
    if result.sha256:
        file.seek(0)
        actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != result.sha256.lower():
            raise DownloadFailed(
                f"the result's SHA-256 is {actual}, and {result.sha256} was promised", _AGAIN
            )
    file.seek(0)
    for number, block in enumerate(result.blocks, 1):
        data = file.read(block.size)
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != block.md5.lower():
            place = f"block {number} of {len(result.blocks)}"
            raise DownloadFailed(f"the result is damaged on its way: {place} has another digest", _AGAIN)
    if result.blocks and file.read(1):
        raise DownloadFailed("the result is longer than its blocks", _AGAIN)
