"""Clusters' own APIs: what a cluster says of itself; the only door to the Kubernetes client.

The client is imported when it is first needed, because that takes longer than most commands run.
"""
