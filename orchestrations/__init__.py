"""Orchestrators: deterministic generators that only schedule."""
