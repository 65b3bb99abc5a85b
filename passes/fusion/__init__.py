"""Fusion: legality, profit and mechanism, and the passes that use them."""
