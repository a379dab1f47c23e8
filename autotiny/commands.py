"""What the commands take: a formula or a function of the user's own, and the values to compute it from."""
