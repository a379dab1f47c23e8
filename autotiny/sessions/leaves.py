"""Leaves that somebody may have written to behind their session's back."""

from typing import Any, TypeGuard

from autotiny.seals import was_changed
from autotiny.tensor import Tensor


def is_written_over(value: Any) -> TypeGuard[Tensor]:
    """Whether it is a leaf whose data was assigned, or written to, since its session made it."""
    if not isinstance(value, Tensor) or value.op is not None:
        return False
    seal = (value._notes or {}).get("value")
    return value._assigned > value._number or (seal is not None and was_changed(value._data, seal))
