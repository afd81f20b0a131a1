"""Idempotency keys: for a day, the same key with the same body stands for the same job."""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from activities.store import BlobChanged, BlobExists, BlobMissing
from function_app.blob_store import BlobStore
from function_app.problems import IdempotencyConflict, InvalidRequest
from tessera import naming
from tessera.messages import JobId
from tessera.plan import Message

LIFETIME = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Claim(Message):
    """What a key stands for: the *id* of a job or batch, the *digest* of the body, and since when."""

    id: JobId
    digest: str
    at: str

    @property
    def is_over(self) -> bool:
        """Tell whether the key may be used anew."""
        return datetime.now(UTC) - datetime.fromisoformat(self.at) > LIFETIME


def lock_of(key: str | None, owner: str) -> str | None:
    """Return the blob that locks *key*; None without a key.

    Raises
    ------
    InvalidRequest
        If the key isn't 1 to 255 visible ASCII characters.
    """
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            "the header Idempotency-Key must be 1 to 255 visible ASCII characters",
            actual=key[:80],
            hint="send a new UUID with each job",
        )
    return naming.key_lock(owner, sha256(key.encode()).hexdigest())


def digest_of(document: Any) -> str:
    """Return what tells two bodies apart."""
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def find(lock: str, digest: str, store: BlobStore) -> Claim | None:
    """Return what the key stands for, if it was used within the day.

    Raises
    ------
    IdempotencyConflict
        If it was used with another body.
    """
    try:
        claim = Claim.model_validate_json(store.read(naming.JOBS, lock))
    except BlobMissing:
        return None
    return None if claim.is_over else _same(claim, digest)


def take(lock: str, wanted: Claim, store: BlobStore) -> Claim:
    """Make the key stand for *wanted*, or return what it stands for already.

    Raises
    ------
    IdempotencyConflict
        If it was used within the day with another body.
    """
    data = wanted.model_dump_json().encode()
    while True:
        try:
            store.write(naming.JOBS, lock, data, new=True)
            return wanted
        except BlobExists:
            pass
        try:
            held, etag = store.fetch(naming.JOBS, lock)
            claim = Claim.model_validate_json(held)
            if not claim.is_over:
                return _same(claim, wanted.digest)
            store.replace(naming.JOBS, lock, data, etag)
            return wanted
        except (BlobMissing, BlobChanged):
            continue


def _same(claim: Claim, digest: str) -> Claim:
    if claim.digest == digest:
        return claim
    raise IdempotencyConflict(
        f"the Idempotency-Key was used for {claim.id}, with another body",
        hint="send a new key with a new request",
    )
