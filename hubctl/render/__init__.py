"""Inputs and templates become a tree of manifests: per spoke what it gets, for the hub what delivers it.

Pure but for reading the template files: the same inputs give the same bytes on every run.
"""
