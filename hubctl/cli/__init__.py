"""The command line: small click commands by topic, one error boundary in ``main``.

Commands read flags, call the rooms and print; whatever they decide is decided elsewhere.
"""
