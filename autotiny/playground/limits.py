"""What one program of the page may take, and each answer, whatever computes it."""

from autotiny.language import Limits

PLAYGROUND = Limits(characters=10_000, statements=100, depth=64, entries=2**18, total=2**21, work=2**31, seconds=2.0)
"""The limits of one program of the page: far above any example for a classroom."""

SECONDS = {
    "picture": 4.0,
    "entries": 4.0,
    "comparison": 8.0,
    "steps": 8.0,
    "derivation": 8.0,
    "compiled": 8.0,
    "export": 8.0,
    "descent": 8.0,
    "functions": 8.0,
}
"""The kinds of questions, and the seconds that an answer may take."""


def cheap(limits: Limits) -> Limits:
    """Return the limits of a trial beside the answer, of which there may be dozens.

    They count work, and not seconds: the answer must not depend on what else the machine does.

    >>> cheap(PLAYGROUND).work
    4294967
    """
    return limits._replace(work=limits.work // 500, total=limits.total // 20)
