"""The list of functions that the page shows and completes."""

import numpy as np

from autotiny.derivation.derivation import Derivation
from autotiny.errors import UnsupportedError
from autotiny.language import Limits, evaluate
from autotiny.language.vocabulary import functions
from autotiny.playground.answers import answer
from autotiny.playground.functions import LONGEST, function_list
from autotiny.playground.limits import PLAYGROUND

VALUES = {"W": {"value": [[1.0, 2.0], [3.0, 4.0]]}, "x": {"value": [1.0, 2.0]}}


def test_every_function_is_listed_once_with_a_call_and_a_sentence():
    rows = function_list()
    assert [row["name"] for row in rows] == sorted(
        {n for n in functions() if "." not in n}, key=lambda n: (n.lower(), n)
    )
    for row in rows:
        assert row["usage"].startswith(f"{row['name']}("), row
        assert 0 < len(row["about"]) <= LONGEST, row
        assert "/" not in row["usage"], row


def test_the_list_gives_ufuncs_no_options_that_they_lack():
    numpys = {row["usage"]: getattr(np, row["name"], None) for row in function_list()}
    usages = {usage for usage, f in numpys.items() if isinstance(f, np.ufunc) and not f.signature}
    assert len(usages) > 60
    assert not {usage for usage in usages if "=" in usage}
    assert {"round(x, decimals=0)", "around(x, decimals=0)"} <= numpys.keys()


def test_a_function_of_the_list_is_one_of_the_language():
    assert evaluate("tanh(0)", {}, Limits()).value == 0
    listed = answer({"kind": "functions", "program": "", "values": {}}, PLAYGROUND)["functions"]
    assert {"name": "tanh", "usage": "tanh(x)"}.items() <= next(row for row in listed if row["name"] == "tanh").items()


def test_a_derivation_is_copied_as_latex_and_as_a_function_that_runs():
    question = {"kind": "derivation", "program": "Z = tanh(W @ x)\nJ = sum(Z ** 2)", "values": VALUES, "about": "W"}
    copies = answer(question, PLAYGROUND)["copies"]
    assert r"\frac{\partial J}{\partial W}" in copies["LaTeX"]
    assert "Z" in copies["LaTeX"]
    module = {}
    exec(copies["NumPy"], module)
    assert callable(module["dW"])


def test_where_numpy_has_no_counterpart_only_latex_is_copied(monkeypatch):
    def refuse(derivation):
        raise UnsupportedError("no counterpart")

    monkeypatch.setattr(Derivation, "numpy", refuse)
    question = {"kind": "derivation", "program": "sum(x ** 2)", "values": VALUES}
    assert list(answer(question, PLAYGROUND)["copies"]) == ["LaTeX"]
