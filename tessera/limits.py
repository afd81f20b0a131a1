"""What one job may take."""

from pydantic import Field

from tessera.plan import Message


class Limits(Message):
    """What one job may take. Bytes and pixels."""

    max_bytes: int = Field(default=2 << 30, description="bytes of an upload")
    max_pixels: int = Field(default=4 << 30, description="pixels of an image")
    task_memory: int = Field(default=256 << 20, description="bytes of arrays that one task may hold")
    min_tile_pixels: int = Field(
        default=6 << 20, description="pixels a tile has at least; fewer where these take over half a second"
    )
    max_tile_pixels: int = Field(default=8 << 20, description="pixels a tile has at most")
    instances: int = Field(
        default=4, ge=1, le=1000, description="instances that are expected to work on a job at a time"
    )
    band_rows: int | None = Field(
        default=None, ge=1, description="rows of a tile; by default the planner's choice"
    )
    tile_columns: int | None = Field(
        default=None,
        ge=1,
        description="columns of a tile, or computed of it at a time; by default the planner's choice",
    )
