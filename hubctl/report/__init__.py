"""What a pass comes to for those who watch hubctl: metrics, conditions and Kubernetes Events.

Each is a pure function of a pass; ``reporter`` takes them to where they are seen.
"""
