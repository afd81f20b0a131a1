"""Faults and load on a real stack: what must hold when storage, workers and hosts fail, is made to."""
