"""The work of a job: plain functions from an order and a store to a result, one to a file.

Each may run twice, at the same time, on two machines: what it writes and where depends on its order alone.
"""
