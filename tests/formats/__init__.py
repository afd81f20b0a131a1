"""Tests of reading uploads."""
