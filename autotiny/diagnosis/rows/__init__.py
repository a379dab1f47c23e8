"""The table of slips, in order of simplicity: of those that explain a gradient, the ones of the smallest rank count."""

from autotiny.diagnosis.hypotheses import Row
from autotiny.diagnosis.rows.derivatives import (
    inverted_mask,
    missing_derivative,
    missing_inner,
    missing_number,
    twice,
    wrong_derivative,
)
from autotiny.diagnosis.rows.operands import other_operand, transposed_product
from autotiny.diagnosis.rows.paths import path
from autotiny.diagnosis.rows.sigmoids import diagonal_softmax, sigmoid_loss, written_sigmoid, written_softmax
from autotiny.diagnosis.rows.steps import some_steps
from autotiny.diagnosis.rows.sums import mean_for_sum, wrong_sum

ROWS: tuple[tuple[int, Row], ...] = (
    (0, missing_derivative),
    (0, path),
    (0, inverted_mask),
    (0, transposed_product),
    (0, diagonal_softmax),
    (0, written_softmax),
    (0, written_sigmoid),
    (0, sigmoid_loss),
    (0, wrong_sum),
    (0, some_steps),
    (1, missing_number),
    (1, mean_for_sum),
    (1, missing_inner),
    (1, other_operand),
    (1, wrong_derivative),
    (1, twice),
)

EVERYWHERE: tuple[Row, ...] = (missing_derivative, path, inverted_mask)
"""The rows whose slip people make wherever it can be made: in all layers, in all steps of a loop."""
