"""Which rule is wrong: each operation of a graph by itself, against numbers, with a random gradient arriving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotiny.checking.row import Row, shown
from autotiny.checking.subject import Subject
from autotiny.checking.verdict import examine
from autotiny.diagnosis.graph import alone
from autotiny.engine.graph import leading_to, topological_order
from autotiny.engine.node import form_of
from autotiny.engine.tensor import Tensor
from autotiny.ops.table import is_complex


@dataclass(frozen=True, eq=False, repr=False)
class Blame:
    """The first operation whose rule is wrong, or none.

    op : the name of the operation, None if every rule is right
    name : the name of its result
    operand : the position of the operand whose gradient is wrong
    line : the user's line that recorded it, known under at.debug()
    rows : the comparison for the operation by itself, its operands by position
    checked : the number of operations that were checked
    """

    op: str | None
    name: str | None
    operand: int | None
    line: str | None
    rows: Sequence[Row]
    checked: int

    def __bool__(self) -> bool:
        return self.op is not None

    def __repr__(self) -> str:
        if self.op is None:
            return f"every rule is right: {self.checked} operations were checked by themselves"
        where = f", at {self.line}" if self.line else "; record it under at.debug() to know the line"
        return (
            f"the rule of {self.op} for operand {self.operand} is wrong: it made {self.name}{where}\n{shown(self.rows)}"
        )


def blame(subject: Subject) -> Blame:
    """Check the operations that the compared gradients passed through, operands first, on their recorded values."""
    order = topological_order(subject.output)
    dependent = leading_to(order, subject.names)
    checked = 0
    for node in order:
        if node.op is None or node not in dependent:
            continue
        checked += 1
        rows = _alone(node, checked)
        if any(row.outlier == "autograd" for row in rows):
            wrong = next(row for row in rows if not row.ok)
            line = (node._notes or {}).get("line")
            operand = int(wrong.name.split()[1])
            return Blame(form_of(node).op.name, subject.names_of_all[node], operand, line, rows, checked)
    return Blame(None, None, None, None, (), checked)


def _alone(node: Tensor, seed: int) -> list[Row]:
    """Return the rows of an operation by itself, with a random gradient arriving."""
    copy, operands = alone(node)
    rng = np.random.default_rng(seed)
    signs = np.random.default_rng(seed).choice([-1, 1], copy.shape)
    u = rng.uniform(0.5, 1.5, copy.shape) * signs
    u = u * np.exp(1j * rng.uniform(0, 6, copy.shape)) if is_complex(copy) else u
    subject = Subject(copy, {x: f"operand {i}" for i, x in operands.items()}, u.astype(copy.dtype))
    return examine(subject, dict.fromkeys(operands.values()))
