"""The demo: a small fleet of real model servers on this machine, and the story that hubctl lives through on it.

Everything in it is real except the spokes' Argo CD and kubelet, for which ``hubctl.demo.delivery`` stands in. The
submodules need the ``demo`` extra (kserve, scikit-learn, joblib, numpy); importing this package alone does not.
"""
