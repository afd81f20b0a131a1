"""Exact image processing in tiles: geometry, plans, operations, codecs and stitch recipes."""

__version__ = "0.1.0"
