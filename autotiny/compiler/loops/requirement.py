"""What the back ends of loops need, and what is missing of it."""

from importlib.util import find_spec

OLDEST = (0, 61)
"""The version of numba."""


def missing() -> str:
    """Return why numba cannot compile here; an empty text if it can."""
    if find_spec("numba") is None:
        return "numba is not installed"
    try:
        import numba

        from autotiny.compiler.loops.unboxing import layout_is_known
    except Exception as error:  # numba refuses versions of NumPy and Python that it does not know
        return f"numba cannot be imported ({error})"
    if numba.version_info[:2] < OLDEST:
        return f"numba is {numba.__version__}"
    if numba.config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set"
    return "" if layout_is_known() else "this version of NumPy lays out arrays in an unknown way"


def needed() -> str:
    """Return a sentence about what numba's version must be, and how it is installed."""
    return f"numba {'.'.join(map(str, OLDEST))} or newer is needed: pip install 'autotiny[fast]'"
