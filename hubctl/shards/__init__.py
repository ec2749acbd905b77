"""Shards: rounds on the workers of a Dask cluster; the only door to Dask.

The leader reads rows, hands each worker its spokes and merges what the workers found; a worker polls, and keeps its
connections between rounds. ``assign`` and ``parcel`` are pure; Dask itself is loaded where it is used.
"""
