"""Findings become incidents, and incidents decisions. Pure.

``rules`` is the order of judgement, ``evidence`` says what is known to be good or still bad.
"""
