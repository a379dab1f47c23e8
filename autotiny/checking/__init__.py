"""Whether a gradient is the gradient: the textbook's closed forms, and autograd held against them."""
