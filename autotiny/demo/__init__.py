"""The main job, on real digits: check the two-layer network's gradients, draw it, train it, report."""
