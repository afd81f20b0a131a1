"""What of a file's metadata goes from the upload to the result, beside the pixels."""

from activities.store import Store
from tessera import naming
from tessera.codecs import Picture
from tessera.formats import ImageFile
from tessera.plan import Plan


def keep_metadata(job: str, file: ImageFile, store: Store, *, exif: bool) -> None:
    """Keep the colour profile and, where it is wanted, the EXIF block until the file is stitched."""
    if file.icc:
        store.write(naming.WORK, naming.work(job, naming.profile()), file.icc)
    if exif and file.exif:
        store.write(naming.WORK, naming.work(job, naming.exif()), file.exif)


def kept_picture(job: str, plan: Plan, store: Store) -> Picture:
    """Return what the head of the result says, with the metadata that `keep_metadata` kept."""
    icc = store.read(naming.WORK, naming.work(job, naming.profile())) if _takes_profile(plan) else b""
    exif = store.read(naming.WORK, naming.work(job, naming.exif())) if _takes_exif(plan) else b""
    return _picture(plan, icc, exif)


def picture_of(plan: Plan, file: ImageFile) -> Picture:
    """Return what the head of the result says, with the metadata of the upload."""
    return _picture(plan, file.icc if _takes_profile(plan) else b"", file.exif if _takes_exif(plan) else b"")


def _picture(plan: Plan, icc: bytes, exif: bytes) -> Picture:
    made = plan.result
    return Picture(made.width, made.height, made.pixels, icc=icc, dpi=_dpi_of(plan), exif=exif)


def _takes_profile(plan: Plan) -> bool:
    """Tell whether the input's colour profile still describes the result's channels."""
    made, given = plan.result.pixels, plan.image.pixels
    return plan.image.icc and (made.channels > 2) == (given.channels > 2)


def _takes_exif(plan: Plan) -> bool:
    return plan.image.exif and plan.output.keep_metadata


def _dpi_of(plan: Plan) -> tuple[float, float] | None:
    """Return the dots per inch across and down of the upright image."""
    dpi = plan.image.dpi
    return (dpi[1], dpi[0]) if dpi and plan.image.orientation >= 5 else dpi
