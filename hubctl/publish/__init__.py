"""The wanted tree onto a Git branch: compare, brake, one commit, push; beaten by another writer, render anew.

No work tree and no index: changed paths go through ``git fast-import`` in a bare cache.
"""
