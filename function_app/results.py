"""The finished file: a fresh URL, and what to check it by."""

from activities.store import BlobMissing
from function_app.file_names import result_name
from function_app.problems import NoResult
from function_app.records import JobRecord
from function_app.responses import BlockView, PreviewsView, PreviewView, ResultDetailView, ResultView
from function_app.sas import DOWNLOAD
from function_app.services import Services
from tessera import naming, preview
from tessera.codecs import Codec, codec_for
from tessera.messages import Outcome, Result
from tessera.parts import md5_of

_PREVIEW_TYPE = "image/jpeg"


def view(record: JobRecord, result: Result, services: Services) -> ResultView:
    """Return what is known of the result, with a fresh URL; no request is made."""
    codec, name = _codec(record, result), file_name(record, result)
    signed = services.signer.sign(
        naming.RESULTS,
        blob_of(record, result),
        DOWNLOAD,
        services.settings.result_url_lifetime,
        file_name=name,
        media_type=codec.media_type,
    )
    return ResultView(
        url=signed.url,
        expires_at=signed.expires_at.isoformat(),
        size=result.size,
        media_type=codec.media_type,
        width=result.width,
        height=result.height,
        channels=result.pixels.channels,
        depth=result.pixels.depth,
        name=name,
    )


def file_name(record: JobRecord, result: Result) -> str:
    """Return a file name for the result."""
    operations = [step.operation for step in record.pipeline]
    return result_name(record.name, record.job, operations, _codec(record, result).extension)


def blob_of(record: JobRecord, result: Result) -> str:
    """Return the blob of the result."""
    return naming.result(record.job, _codec(record, result).extension)


def finished(outcome: Outcome | None) -> Result:
    """Return the result of a job that ended so; raise `NoResult` if it has none, or isn't over."""
    if outcome is None:
        raise NoResult("the job is not over", hint="wait until the job's state is succeeded")
    if outcome.result is None:
        raise NoResult(f"the job has {outcome.state}", hint="its error says why")
    return outcome.result


def _codec(record: JobRecord, result: Result) -> Codec:
    """Return the codec of the file, whose format may have been chosen by the input's."""
    return codec_for(record.output.model_copy(update={"format": result.format}))


def detail(record: JobRecord, outcome: Outcome | None, services: Services) -> ResultDetailView:
    """Return the result with the digests of its blocks: one call to storage.

    Raises
    ------
    NoResult
        If the job isn't over, ended without a result, or its result was removed since.
    """
    result = finished(outcome)
    try:
        blocks = services.store.committed(naming.RESULTS, blob_of(record, result))
    except BlobMissing as error:
        raise NoResult("the result was removed", hint="results are kept for some days only") from error
    digests = tuple(BlockView(size=size, md5=md5_of(block)) for block, size in blocks)
    return ResultDetailView(**view(record, result, services).model_dump(), blocks=digests)


def previews(record: JobRecord, outcome: Outcome | None, services: Services) -> PreviewsView:
    """Return the previews that there are, a small result being its own: one listing."""
    there = set(services.store.names(naming.RESULTS, f"{record.job}."))
    named = {of: (naming.preview(record.job, of), _PREVIEW_TYPE) for of in ("input", "result")}
    if outcome is not None and (result := outcome.result) is not None:
        media_type = _codec(record, result).media_type
        if preview.shows_itself(media_type, result.width, result.height, result.pixels):
            named["result"] = (blob_of(record, result), media_type)
    found = {of: _preview(*each, services) for of, each in named.items() if each[0] in there}
    return PreviewsView(**found)


def _preview(name: str, media_type: str, services: Services) -> PreviewView:
    lifetime = services.settings.result_url_lifetime
    signed = services.signer.sign(naming.RESULTS, name, DOWNLOAD, lifetime, media_type=media_type)
    return PreviewView(url=signed.url, expires_at=signed.expires_at.isoformat(), media_type=media_type)
