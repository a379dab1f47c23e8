"""SciPy is loaded when it is met: its rows when one of its ufuncs meets a Tensor, and errors that name its mirror."""

import subprocess
import sys

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import UnsupportedError

special = pytest.importorskip("scipy.special")
linalg = pytest.importorskip("scipy.linalg")


def outcome(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_scipy_is_not_imported_by_autotiny():
    program = "import sys, numpy as np, autotiny as at; at.grad(np.sin)(1.0); print('scipy' in sys.modules)"
    assert outcome(program) == ["False"]


def test_a_ufunc_of_scipy_brings_its_rows():
    program = """
import sys, numpy as np, autotiny as at
from scipy import special
print('autotiny.scipy' in sys.modules)
print(at.grad(special.erf)(0.0) == 2 / np.sqrt(np.pi), 'autotiny.scipy' in sys.modules)
"""
    assert outcome(program) == ["False", "True", "True"]


def test_a_ufunc_of_scipy_brings_its_rows_in_a_program_too():
    program = """
import numpy as np, autotiny as at
from scipy import special
print(at.compile(lambda x: special.erf(x))(np.array([0.0, np.inf])))
"""
    assert outcome(program) == ["[0.", "1.]"]


def test_a_ufunc_without_a_row_is_named():
    with pytest.raises(UnsupportedError, match=r"scipy\.special\.struve has no gradient rule yet"):
        special.struve(1, at.Tensor(1.0))


def test_an_order_without_a_derivative_is_refused_where_it_is_tracked():
    v, x = at.Tensor(2.0), at.Tensor(1.0)
    with pytest.raises(
        UnsupportedError, match=r"jv: v is tracked, and no derivative by the order is available: give v"
    ):
        special.jv(v, x)
    assert special.jv(v.detach(), x).requires_grad


def test_an_array_that_scipy_asks_for_is_refused_with_the_name_of_the_mirror():
    A = at.Tensor(np.eye(2))
    with pytest.raises(
        UnsupportedError,
        match=r"scipy\.special\.logsumexp turns A into a plain array, .* use autotiny\.scipy\.special\.logsumexp \(at",
    ):
        special.logsumexp(A)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("solve_triangular", lambda A: (A, np.ones(2))),
        ("expm", lambda A: (A,)),
        ("cholesky", lambda A: (A,)),
        ("cho_solve", lambda A: ((A, True), np.ones(2))),
    ],
)
def test_a_function_that_scipy_decorates_is_refused_by_its_name(name, given):
    words = rf"scipy\.linalg\.{name} turns A .* use autotiny\.scipy\.linalg\.{name} "
    A = at.Tensor(np.eye(2))
    with pytest.raises(UnsupportedError, match=words):
        getattr(linalg, name)(*given(A))


def test_a_function_of_scipy_without_a_mirror_is_refused_as_any_other():
    A = at.Tensor(np.eye(2))
    with pytest.raises(UnsupportedError, match=r"scipy turns A into a plain array, .* use A\.data where"):
        linalg.schur(A)
