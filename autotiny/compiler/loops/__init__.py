"""The loops that numba compiles, imported at first use: numba is an optional library."""
