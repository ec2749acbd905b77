"""Explanation: which inputs each value of a rendered file was made from, found by trying others.

Carries changes of ``inputs`` to the templates of ``render`` and looks at what comes out; the only room that knows both.
Nothing here knows what a setting is for: an input is named when another value in its place gave another text, and what
was tried is kept as the proof. The decision *An explanation is tried* in docs/adr says why.
"""
