"""The finished file: a fresh URL, and what to check it by."""

from activities.store import BlobMissing
from function_app.file_names import result_name
from function_app.problems import NoResult
from function_app.records import JobRecord
from function_app.responses import BlockView, PreviewsView, PreviewView, ResultDetailView, ResultView
from function_app.sas import DOWNLOAD
from function_app.services import Services
from tessera import naming
from tessera.codecs import Codec, codec_for
from tessera.messages import Outcome, Result
from tessera.parts import md5_of

_PREVIEW_TYPE = "image/jpeg"


def view(record: JobRecord, result: Result, services: Services) -> ResultView:
    """Return what is known of the result, with a fresh URL; no request is made."""
    codec = _codec(record, result)
    operations = [step.operation for step in record.pipeline]
    name = result_name(record.name, record.job, operations, codec.extension)
    signed = services.signer.sign(
        naming.RESULTS,
        naming.result(record.job, codec.extension),
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
    if outcome is None or outcome.result is None:
        state = outcome.state if outcome else "not over"
        raise NoResult(
            f"the job is {state}" if outcome is None else f"the job has {state}",
            hint="wait until the job's state is succeeded" if outcome is None else "its error says why",
        )
    name = naming.result(record.job, _codec(record, outcome.result).extension)
    try:
        blocks = services.store.committed(naming.RESULTS, name)
    except BlobMissing as error:
        raise NoResult("the result was removed", hint="results are kept for some days only") from error
    digests = tuple(BlockView(size=size, md5=md5_of(block)) for block, size in blocks)
    return ResultDetailView(**view(record, outcome.result, services).model_dump(), blocks=digests)


def previews(record: JobRecord, services: Services) -> PreviewsView:
    """Return the previews that there are: one listing."""
    there = set(services.store.names(naming.RESULTS, f"{record.job}."))
    found = {}
    for of in ("input", "result"):
        name = naming.preview(record.job, of)
        if name in there:
            signed = services.signer.sign(
                naming.RESULTS,
                name,
                DOWNLOAD,
                services.settings.result_url_lifetime,
                media_type=_PREVIEW_TYPE,
            )
            found[of] = PreviewView(
                url=signed.url, expires_at=signed.expires_at.isoformat(), media_type=_PREVIEW_TYPE
            )
    return PreviewsView(**found)
