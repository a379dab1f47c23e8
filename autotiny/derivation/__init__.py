"""Derivations: the gradient graph, rewritten rule by rule until it reads like the textbook."""
