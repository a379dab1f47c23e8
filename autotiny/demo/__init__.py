"""The demonstration on real digits: check the two-layer network's gradients, derive, draw and train it, and report."""
