"""Decisions to act become remediations, and remediations effects.

``plan`` and ``override`` are pure; ``actions`` carries out what they say.
"""
