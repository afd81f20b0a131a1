"""What the API answers, as frozen dataclasses; fields the client does not know are ignored."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as the API describes it (RFC 9457).

    Attributes
    ----------
    status : int
        HTTP status code.
    title : str
        Short summary.
    detail : str or None
        What happened this time.
    code : str or None
        Stable name of the error, for programs.
    limit, actual : object
        The limit that was exceeded and the value that exceeded it.
    hint : str or None
        What to change.
    pointer : str or None
        JSON pointer to the part of the request that is wrong.
    """

    status: int = 0
    title: str = "error"
    type: str = "about:blank"
    detail: str | None = None
    code: str | None = None
    limit: Any = None
    actual: Any = None
    hint: str | None = None
    pointer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A place for one input image.

    Attributes
    ----------
    url : str
        Address that takes the bytes; it carries its own permission, so it is left out of ``repr``.
    max_bytes : int or None
        Largest file the API takes.
    """

    id: str
    url: str = field(repr=False)
    expires_at: datetime | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedUpload:
    """An upload that is there already: a copy of a job's image or result, of so many bytes."""

    id: str
    size: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a pipeline and its parameters; those left out take the operation's defaults."""

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """The wanted file; an option that is None is left to the API.

    Attributes
    ----------
    format : str
        ``"png"``, ``"jpeg"``, ``"tiff"``, or ``"same"`` as the input.
    quality : int or None
        JPEG only, 1 to 100.
    subsampling : str or None
        JPEG only, chroma subsampling such as ``"4:2:0"``.
    compression : str or None
        PNG and TIFF, ``"fast"`` or ``"small"``.
    pyramid : bool or None
        TIFF only, with overviews.
    keep_metadata : bool or None
        Keep the EXIF data, the place where a photograph was taken included.
    """

    format: str = "png"
    quality: int | None = None
    subsampling: str | None = None
    compression: str | None = None
    pyramid: bool | None = None
    keep_metadata: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """What the API found in the header of the input; sizes in bytes and pixels, depth in bits.

    Attributes
    ----------
    page, pages : int
        Which page, frame or directory of the file is taken, from 0, and how many it has.
    """

    name: str | None = None
    size: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    depth: int | str | None = None
    page: int = 0
    pages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The stage that is running: ``index`` as the API counts it, of ``count``."""

    index: int
    count: int
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Tiles of the job: how many in all, how many are done, how many ran again after a failure."""

    total: int = 0
    done: int = 0
    retried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of the finished file: its bytes, and their MD5 in hexadecimal digits."""

    size: int
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The finished file: where it is, its size in bytes and pixels.

    Attributes
    ----------
    url : str
        Short-lived address; it carries its own permission, so it is left out of ``repr``.
    name : str or None
        A file name for it.
    sha256 : str or None
        Hexadecimal digest of the bytes, where the API knows it.
    blocks : tuple of Block
        Digests of its parts, one after the other; only `Client.result` tells them.
    """

    url: str = field(repr=False)
    size: int
    expires_at: datetime | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    name: str | None = None
    sha256: str | None = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job at the moment it was asked for.

    Attributes
    ----------
    state : str
        ``queued``, ``inspecting``, ``running``, ``stitching``, ``cancelling``, or one of the final
        states ``succeeded``, ``failed``, ``cancelled``.
    progress : float
        0 to 1.
    error : Problem or None
        Why it failed.
    eta : float or None
        Seconds that are probably left.
    seconds : mapping of str to float
        Time taken by each phase.
    receipt : mapping
        What the job took and costs, as the API tells it.
    warnings : tuple of str
        What to know about the result of a job that ended.
    etag : str or None
        Of the answer, to ask whether anything changed since.
    retry_after : float
        Seconds after which the API wants to be asked again; 0 where it doesn't say.
    document : dict
        The API's whole answer, with the fields this class does not know.
    """

    id: str
    state: str
    created_at: datetime | None = None
    finished_at: datetime | None = None
    pipeline: tuple[Step, ...] = ()
    output: Output | None = None
    input: ImageInfo | None = None
    stage: Stage | None = None
    tiles: Tiles = Tiles()
    progress: float = 0.0
    eta: float | None = None
    result: Result | None = None
    error: Problem | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    receipt: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    etag: str | None = field(default=None, repr=False, compare=False)
    retry_after: float = field(default=0.0, repr=False, compare=False)
    document: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Say whether the state can no longer change."""
        return self.state in FINAL_STATES

    @property
    def succeeded(self) -> bool:
        """Say whether there is a result to fetch."""
        return self.state == "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation of the catalogue.

    Attributes
    ----------
    exactness : str
        The class of the operation, which says how its result is kept equal to the whole image's.
    parameters : mapping
        JSON schema of an object.
    accepts, produces : mapping
        Channels and depths of the image it takes and gives.
    delicate : str or None
        Why its bits may depend on the kind of processor.
    """

    name: str
    summary: str = ""
    exactness: Annotated[str, Field(alias="class")] = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    accepts: Mapping[str, Any] = field(default_factory=dict)
    produces: Mapping[str, Any] = field(default_factory=dict)
    delicate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A stored pipeline."""

    name: str
    summary: str = ""
    pipeline: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the API is alive, and its version."""

    status: str
    version: str | None = None
