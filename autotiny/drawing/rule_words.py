"""What the gradient rule of an operation is called, or does, in a few words."""

from autotiny.ops import Op

WORDS = {
    "sum rule: the gradient passes as it is": "add subtract positive",
    "the sign changes": "negative",
    "product rule: times the other factor": "multiply",
    "product rule: times the other factor, entry by entry": "vdot",
    "quotient rule": "divide reciprocal",
    "power rule": "power float_power square sqrt cbrt",
    "exp is its own derivative": "exp",
    "matrix product: times the other factor, transposed": "matmul",
    "sum: every entry that was added receives the gradient": "sum",
    "product: times all the other entries": "prod",
    "extreme: the entry that won receives the gradient; those that tie share it": "max min",
    "the larger one receives the gradient; at a tie they share it": "maximum fmax",
    "the smaller one receives the gradient; at a tie they share it": "minimum fmin",
    "running sum: each entry receives the gradients of all sums that it is in": "cumsum",
    "running product: each entry receives the gradients of all products that it is in": "cumprod",
    "length of a vector: times x / ‖x‖": "euclidean",
    "p-norm: times sign(x) (|x| / ‖x‖)ᵖ⁻¹": "p_norm",
    "relu: the gradient passes where x > 0, and stops elsewhere": "relu",
    "the gradient passes where x > 0, and a small part of it elsewhere": "leaky_relu elu",
    "sigmoid: times σ (1 - σ)": "sigmoid",
    "softmax: less its mean, weighted by the probabilities": "softmax",
    "log-softmax: less the probabilities times its sum": "log_softmax",
    "logsumexp: times the softmax": "logsumexp",
    "choice: the gradient passes where this one was chosen": "where",
    "the gradient passes where the value is finite": "nan_to_num",
    "flat: no gradient passes": "sign floor ceil rint trunc round sign_of_det",
    "the entries moved, so their gradients move back": (
        "reshape ravel expand_dims squeeze transpose swapaxes moveaxis flip roll"
    ),
    "the same value, so the same gradient": "copy astype",
    "broadcasting: the gradients of all copies are summed": "broadcast_to",
    "each entry that was picked receives its gradient; the others receive 0": "index",
    "each entry receives the gradient of the place that it was put": "scatter",
    "each part receives its piece of the gradient": "join pad_constant",
    "einsum: with the gradient in the output's place, over the labels of this operand": "summation",
    "the gradient passes in the triangle": "tril triu",
    "determinant: times the cofactors": "det",
    "log-determinant: times the inverse, transposed": "log_abs_det",
    "inverse: between two of the inverse, transposed, with its sign changed": "inv",
    "linear system: solved again with the transposed matrix": "solve",
    "Cholesky factor: triangular solves on both sides": "cholesky",
}
BY_NAME = {name: words for words, names in WORDS.items() for name in names.split()}
OF_THE_SECOND = {
    "subtract": "sum rule: to what is subtracted the gradient passes with its sign changed",
    "divide": "quotient rule, for the divisor",
    "power": "exponential rule: times a ** b log(a)",
    "float_power": "exponential rule: times a ** b log(a)",
    "remainder": "less the whole quotient times the gradient",
    "fmod": "less the whole quotient times the gradient",
}


def rule_in_words(op: Op, position: int, through_log: bool = False) -> str:
    """The rule of an operation for one operand; the chain rule's own words where it has no name."""
    if through_log:
        return f"{op.name} and its logarithm in one go, for nothing to be divided by what may underflow"
    words = BY_NAME.get(op.name, f"chain rule: times the derivative of {op.name}")
    if position == 1:
        words = OF_THE_SECOND.get(op.name, words)
    return words if op.beside_constant else words.replace("at a tie they share it", "a constant wins a tie")
