"""Simulated fleets with their truth: believable data, and an oracle for what the reconstruction must say.

Knows: HyperPod as its documents describe it.
Must not know: the machines, the fold, the judge or the catalogue, so that it cannot agree with their mistakes.
"""
