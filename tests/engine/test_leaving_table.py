"""No function of NumPy or Python gives plain numbers that depend on a tracked Tensor: a search over their names.

A tracked Tensor is put at every position and into every option of every function, beside fillers. The result must be
recorded, an error, or the same when the Tensor's value is moved a little: truth values, positions and shapes are plain
numbers that a small step does not change.
"""

import builtins
import cmath
import copy
import decimal
import fractions
import inspect
import itertools
import math
import operator
import random
import statistics
import struct

import numpy as np
import pytest

import autotiny as at

pytestmark = pytest.mark.filterwarnings("ignore")

VALUES = (
    1.3123,
    np.array([0.3123, 1.4123, 0.7123]),
    np.array([[2.3123, 0.4123, 0.1123], [0.5123, 1.7123, 0.2123], [0.1123, 0.3123, 1.9123]]),
)
STEP = 1e-7
FILLERS = (
    lambda: np.array([0.5, 0.25, 0.75]),
    lambda: 2,
    lambda: np.array([[2.0, 0.4, 0.1], [0.5, 1.0, 0.2], [0.1, 0.3, 1.0]]),
    lambda: np.array([0, 2, 1]),
)
OPTIONS = ("out", "where", "initial", "dtype", "axis", "weights", "fill_value")


def tensor(value, step):
    return at.Tensor(value + step * np.arange(1.0, 1 + np.size(value)).reshape(np.shape(value)))


def parts(result):
    """The numbers, arrays and Tensors that a result consists of."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = list(result.flat)
    if isinstance(result, tuple | list):
        return [part for each in result for part in parts(each)]
    if hasattr(result, "__next__"):
        return [part for each in itertools.islice(result, 5) for part in parts(each)]
    return [result]


NUMBERS = (float, complex, np.inexact, np.ndarray, decimal.Decimal, fractions.Fraction)


def plain_numbers(function, args, options):
    """The plain numbers that a call gives or writes into its arguments; None if it raises or records."""
    random.seed(0)
    np.random.seed(0)
    try:
        found = parts(function(*args, **options))
    except Exception:
        return None
    if any(isinstance(part, at.Tensor) and part.requires_grad for part in found):
        return None
    found += [arg for arg in (*args, *options.values()) if isinstance(arg, np.ndarray)]
    kept = [part for part in found if isinstance(part, NUMBERS)]
    return [np.array(part, dtype=object).tolist() for part in kept]


def calls(function):
    """Yield makers of arguments: a tracked Tensor at each position, then as each option."""
    for value in VALUES:
        yield lambda step, value=value: ((tensor(value, step),), {})
        for filler in FILLERS:
            yield lambda step, value=value, filler=filler: ((tensor(value, step), filler()), {})
            yield lambda step, value=value, filler=filler: ((filler(), tensor(value, step)), {})
            for i in range(3):
                yield lambda step, value=value, filler=filler, i=i: (
                    (*(filler() for _ in range(i)), tensor(value, step), *(filler() for _ in range(2 - i))),
                    {},
                )
    try:
        names = set(inspect.signature(function).parameters) | set(OPTIONS)
    except (ValueError, TypeError):
        names = set(OPTIONS)
    for name, value, beside in itertools.product(sorted(names), VALUES[:2], (FILLERS[0], FILLERS[2])):
        yield lambda step, name=name, value=value, beside=beside: ((beside(),), {name: tensor(value, step)})
        yield lambda step, name=name, value=value, beside=beside: (
            (at.Tensor(beside(), requires_grad=False),),
            {name: tensor(value, step)},
        )


def silent_loss(function):
    """Return arguments for which a function gives numbers that depend on the Tensor without a record, if any."""
    for make in calls(function):
        before = plain_numbers(function, *make(0))
        if before:
            after = plain_numbers(function, *make(STEP))
            if after is not None and repr(before) != repr(after):
                return make(0)
    return None


UNINITIALISED = {"empty", "empty_like", "ndarray", "masked_all", "masked_all_like"}
FILES_AND_SETTINGS = {
    "save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap",
    "test", "info", "show_config", "show_runtime", "get_include", "set_printoptions", "seterr", "seterrcall",
    "setbufsize", "printoptions", "errstate", "seed", "set_state",
}  # fmt: skip
MODULES = {
    "numpy": (np, np.__all__),
    "numpy.linalg": (np.linalg, np.linalg.__all__),
    "numpy.fft": (np.fft, np.fft.__all__),
    "numpy.emath": (np.emath, np.emath.__all__),
    "numpy.strings": (np.strings, np.strings.__all__),
    "numpy.ma": (np.ma, np.ma.__all__),
    "numpy.random": (np.random, np.random.__all__),
    "math": (math, dir(math)),
    "cmath": (cmath, dir(cmath)),
    "statistics": (statistics, statistics.__all__),
    "operator": (operator, operator.__all__),
    "random": (random, random.__all__),
    "itertools": (itertools, [name for name in dir(itertools) if name not in ("count", "cycle", "repeat")]),
    "struct": (struct, ["pack"]),
    "decimal": (decimal, ["Decimal"]),
    "fractions": (fractions, ["Fraction"]),
    "copy": (copy, ["copy", "deepcopy"]),
    "builtins": (builtins, ["abs", "divmod", "max", "min", "pow", "round", "sorted", "sum", "list", "tuple", "zip"]),
}


def functions(module):
    holder, names = MODULES[module]
    for name in sorted(set(names) - UNINITIALISED - FILES_AND_SETTINGS):
        function = getattr(holder, name)
        is_error = inspect.isclass(function) and issubclass(function, BaseException)
        if callable(function) and not name.startswith("_") and not is_error:
            yield name, function


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="older NumPy crashes on such arguments")
@pytest.mark.thorough
@pytest.mark.parametrize("module", MODULES)
def test_no_function_gives_plain_numbers_that_depend_on_a_tracked_tensor(module):
    assert {name: lost for name, function in functions(module) if (lost := silent_loss(function))} == {}


def test_no_method_of_a_tensor_gives_plain_numbers_that_depend_on_it_but_those_that_are_documented():
    meant = {"item", "tolist", "data", "value", "detach"}
    lost = set()
    for name in sorted((set(dir(np.ndarray)) | set(dir(at.Tensor))) - meant):
        if not name.startswith("_") and silent_loss(lambda t, *args, name=name: taken(t, name, args)):
            lost.add(name)
    assert lost == set()


def taken(t, name, args):
    attribute = getattr(t, name)
    return attribute(*args) if callable(attribute) else attribute


LOSING = {
    "result": lambda x: np.asarray(getattr(x, "data", x)) * 2,
    "second argument": lambda x, y: x * y.item(),
    "option": lambda x, scale=1.0: x * getattr(scale, "data", scale),
    "written": lambda out, x: out.__setitem__(0, x.item()),
    "complex": lambda x: x.item() + 1j,
}


@pytest.mark.parametrize("way", LOSING)
def test_the_search_finds_a_function_that_loses(way):
    assert silent_loss(LOSING[way])
