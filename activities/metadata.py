"""What of a file's metadata goes from the upload to the result, beside the pixels."""

from activities.store import Store
from tessera import naming
from tessera.formats import ImageFile
from tessera.plan import Plan


def keep_metadata(job: str, file: ImageFile, store: Store, *, exif: bool) -> None:
    """Keep the colour profile and, where it is wanted, the EXIF block until the file is stitched."""
    if file.icc:
        store.write(naming.WORK, naming.work(job, naming.profile()), file.icc)
    if exif and file.exif:
        store.write(naming.WORK, naming.work(job, naming.exif()), file.exif)


def profile_of(job: str, plan: Plan, store: Store) -> bytes:
    """Return the input's colour profile where it still describes the result's channels."""
    made, given = plan.result.pixels, plan.image.pixels
    if not plan.image.icc or (made.channels > 2) != (given.channels > 2):
        return b""
    return store.read(naming.WORK, naming.work(job, naming.profile()))


def exif_of(job: str, plan: Plan, store: Store) -> bytes:
    """Return the input's EXIF block where it is wanted."""
    if not (plan.image.exif and plan.output.keep_metadata):
        return b""
    return store.read(naming.WORK, naming.work(job, naming.exif()))


def dpi_of(plan: Plan) -> tuple[float, float] | None:
    """Return the dots per inch across and down of the upright image."""
    dpi = plan.image.dpi
    return (dpi[1], dpi[0]) if dpi and plan.image.orientation >= 5 else dpi
