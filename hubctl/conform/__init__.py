"""conform: rendered objects against the schemas of real clusters.

Schemas are taken from a cluster or from files once and kept in a folder; checking against them needs no network.
"""
