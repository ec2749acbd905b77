"""Predictors are observed: rows are read, sent to each predictor over KServe's v1 protocol, and the answer is judged.

Everything that judges is pure; ``poll`` alone knows HTTP, ``sources`` alone reads rows from files and commands.
"""
