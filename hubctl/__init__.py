"""hubctl: one pass over a fleet of clusters, told by its folders.

Values and clusters are rendered into a tree per spoke, the tree is published to Git, predictors are observed,
observations are aggregated into health, health is decided into incidents, incidents are remediated; then again.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
