"""Ways to change what a function has captured: each makes a function and one or several changes of what it reads."""

import argparse
import array
import collections
import configparser
import contextlib
import contextvars
import ctypes
import dataclasses
import datetime
import enum
import fractions
import functools
import importlib
import io
import itertools
import operator
import os
import pathlib
import queue
import random
import sqlite3
import sys
import tempfile
import threading
import time
import types
import weakref
from os import environ
from time import time as now

import numpy as np

import autotiny as at

WAYS = {}
REFUSED = {}


def way(make):
    """Enter a way to change captured state, which a compiled function follows."""
    WAYS[make.__name__.strip("_")] = make
    return make


def refused(make):
    """Enter what a compiled function could not follow."""
    REFUSED[make.__name__.strip("_")] = make
    return make


G = 2.0
GD = {"a": {"b": [2.0]}}


class Layer:
    def __init__(self, w):
        self.w = w

    def apply(self, x):
        return self.w * x


class Base:
    bias = 0.0

    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return self.w * x + self.bias

    def apply(self, x):
        return self.w * x

    @property
    def double(self):
        return 2 * self.w

    @classmethod
    def make(cls, x):
        return x * cls.factor

    factor = 3.0

    @staticmethod
    def stat(x):
        return x * G


class Child(Base):
    pass


class Slots:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w


class SlotChild(Slots):
    __slots__ = ("b",)


@dataclasses.dataclass
class DC:
    w: object
    b: float = 1.0


@dataclasses.dataclass(slots=True)
class DCS:
    w: object


NT = collections.namedtuple("NT", "w b")


class Items:
    def __init__(self, w):
        self._inside = [w]

    def __getitem__(self, i):
        return self._inside[i]


class Attr:
    def __init__(self, w):
        self._d = {"w": w}

    def __getattr__(self, name):
        try:
            return self.__dict__["_d"][name]
        except KeyError:
            raise AttributeError(name) from None


class Desc:
    def __init__(self):
        self.values = weakref.WeakKeyDictionary()

    def __get__(self, o, t=None):
        return self.values[o]

    def __set__(self, o, v):
        self.values[o] = v


class WithDesc:
    w = Desc()


class Iter:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        for i in range(self.n):
            yield i + 1.0


class Meta(type):
    rate = 2.0


class WithMeta(metaclass=Meta):
    pass


def setg():
    globals()["G"] = 10.0


@way
def global_rebound():
    globals()["G"] = 2.0
    return (lambda x: G * x), setg


@way
def global_by_globals():
    globals()["G"] = 2.0
    return (lambda x: globals()["G"] * x), setg


def helper(x):
    return x * G


@way
def global_of_called():
    globals()["G"] = 2.0
    return (lambda x: helper(x)), setg


@way
def function_rebound():
    globals()["helper"] = lambda x: x * 2
    return (lambda x: helper(x)), lambda: globals().__setitem__("helper", lambda x: x * 7)


@way
def nested_dict():
    GD["a"]["b"][0] = 2.0
    return (lambda x: GD["a"]["b"][0] * x), lambda: GD["a"]["b"].__setitem__(0, 5.0)


@way
def closure_nonlocal():
    r = 2.0

    def s():
        nonlocal r
        r = 5.0

    return (lambda x: r * x), s


@way
def nested_closure():
    r = 2.0

    def s():
        nonlocal r
        r = 5.0

    def f(x):
        def g(y):
            return (lambda z: z * r)(y)

        return g(x)

    return f, s


@way
def list_of_objects():
    ls = [Layer(2.0), Layer(3.0)]

    def f(x):
        for l in ls:
            x = l.w * x
        return x

    return f, lambda: setattr(ls[0], "w", 10.0)


@way
def list_of_objects_methods():
    ls = [Layer(2.0), Layer(3.0)]

    def f(x):
        for l in ls:
            x = l.apply(x)
        return x

    return f, [lambda: setattr(ls[0], "w", 10.0), lambda: ls.append(Layer(4.0)), lambda: ls.pop(0)]


@way
def array_in_object_in_list():
    ls = [Layer(np.full(2, 2.0))]
    return (lambda x: ls[0].w * x), lambda: ls[0].w.fill(10)


@way
def dict_of_objects():
    d = {"a": Layer(2.0)}
    return (lambda x: d["a"].w * x), [lambda: setattr(d["a"], "w", 10.0), lambda: d.__setitem__("a", Layer(20.0))]


@way
def dict_order():
    d = {"a": 2.0, "b": 3.0}

    def f(x):
        for i, v in enumerate(d.values()):
            x = x * v + i * v
        return x

    return f, lambda: d.__setitem__("a", d.pop("a"))


@way
def dict_keys_loop():
    d = {2.0: 1, 3.0: 1}
    return (lambda x: x * sum(d)), lambda: d.__setitem__(9.0, 1)


@way
def tuple_of_arrays():
    t = (np.full(2, 2.0), 1.0)
    return (lambda x: t[0] * x), lambda: t[0].__setitem__(0, 7)


@way
def set_of_numbers():
    s = {1.0, 2.0}
    return (lambda x: sum(s) * x), lambda: s.add(8.0)


@way
def set_of_objects():
    a = Layer(2.0)
    s = {a}
    return (lambda x: sum(l.w for l in s) * x), lambda: setattr(a, "w", 3.0)


@way
def deque_():
    d = collections.deque([2.0])
    return (lambda x: d[0] * x), lambda: d.__setitem__(0, 10.0)


@way
def deque_of_objects():
    d = collections.deque([Layer(2.0)])
    return (lambda x: d[0].w * x), lambda: setattr(d[0], "w", 10.0)


@way
def ordered_dict():
    d = collections.OrderedDict(a=2.0)
    return (lambda x: d["a"] * x), lambda: d.update(a=4.0)


@way
def default_dict():
    d = collections.defaultdict(lambda: 2.0)
    return (lambda x: d["a"] * x), lambda: d.update(a=4.0)


@way
def counter():
    d = collections.Counter("aab")
    return (lambda x: d["a"] * x), lambda: d.update("a")


@way
def chainmap():
    a, b = {}, {"a": 2.0}
    d = collections.ChainMap(a, b)
    return (lambda x: d["a"] * x), lambda: a.update(a=5.0)


@way
def user_dict():
    d = collections.UserDict(a=2.0)
    return (lambda x: d["a"] * x), lambda: d.update(a=5.0)


@way
def mapping_proxy():
    d = {"a": 2.0}
    m = types.MappingProxyType(d)
    return (lambda x: m["a"] * x), lambda: d.update(a=5.0)


@way
def namespace():
    n = types.SimpleNamespace(w=2.0)
    return (lambda x: n.w * x), lambda: setattr(n, "w", 5.0)


@way
def namedtuple_():
    n = NT([2.0], 1)
    return (lambda x: n.w[0] * x), lambda: n.w.__setitem__(0, 6.0)


@way
def namedtuple_rebound():
    n = NT(2.0, 1)

    def s():
        nonlocal n
        n = n._replace(w=6.0)

    return (lambda x: n.w * x), s


@way
def dataclass_():
    d = DC(2.0)
    return (lambda x: d.w * x + d.b), [lambda: setattr(d, "w", 5.0), lambda: setattr(d, "b", 5.0)]


@way
def dataclass_slots():
    d = DCS(2.0)
    return (lambda x: d.w * x), lambda: setattr(d, "w", 5.0)


@way
def dataclass_astuple():
    d = DC(2.0)
    return (lambda x: dataclasses.astuple(d)[0] * x), lambda: setattr(d, "w", 5.0)


@way
def dataclass_default():
    return (lambda x: DC(x).b * x), lambda: setattr(
        DC, "__init__", lambda self, w, b=4.0: (setattr(self, "w", w), setattr(self, "b", b))[0]
    )


@way
def slots_():
    d = Slots(2.0)
    return (lambda x: d.w * x), lambda: setattr(d, "w", 5.0)


@way
def slots_inherited():
    d = SlotChild(2.0)
    return (lambda x: d.w * x), lambda: setattr(d, "w", 5.0)


@way
def slots_array():
    d = Slots(np.full(2, 2.0))
    return (lambda x: d.w * x), lambda: d.w.fill(3)


@way
def slot_vanishes_getattr():
    d = Slots(2.0)
    return (lambda x: getattr(d, "w", 9.0) * x), lambda: delattr(d, "w")


@way
def slot_appears():
    d = SlotChild(2.0)
    return (lambda x: getattr(d, "b", 1.0) * x), lambda: setattr(d, "b", 5.0)


@way
def attr_appears():
    d = Layer(2.0)
    return (lambda x: getattr(d, "other", 1.0) * x), lambda: setattr(d, "other", 5.0)


@way
def attr_vanishes():
    d = Layer(2.0)
    return (lambda x: (d.w if hasattr(d, "w") else 9.0) * x), lambda: delattr(d, "w")


@way
def inherited_call():
    n = Child(2.0)
    return n, lambda: setattr(n, "w", 10.0)


@way
def inherited_method():
    n = Child(2.0)
    return (lambda x: n.apply(x)), lambda: setattr(n, "w", 10.0)


@way
def bound_inherited_method():
    n = Child(2.0)
    return n.apply, lambda: setattr(n, "w", 10.0)


@way
def inherited_class_attribute():
    class Mother:
        w = 2.0

    class Daughter(Mother):
        pass

    return (lambda x: Daughter.w * x), [
        lambda: setattr(Mother, "w", 10.0),
        lambda: setattr(Daughter, "w", 11.0),
        lambda: delattr(Daughter, "w"),
    ]


@way
def class_attribute_of_instance():
    class Mother:
        w = 2.0

    class Daughter(Mother):
        pass

    d = Daughter()
    return (lambda x: d.w * x), [
        lambda: setattr(Mother, "w", 10.0),
        lambda: setattr(Daughter, "w", 11.0),
        lambda: setattr(d, "w", 12.0),
        lambda: delattr(d, "w"),
    ]


@way
def class_attr_by_type():
    class A:
        w = 2.0

    a = A()
    return (lambda x: type(a).w * x), lambda: setattr(A, "w", 3.0)


@way
def class_list():
    class A:
        w = [2.0]  # noqa: RUF012

    a = A()
    return (lambda x: a.w[0] * x), lambda: A.w.__setitem__(0, 3.0)


@way
def method_replaced_on_class():
    class A:
        def go(self, x):
            return x * 2

    a = A()
    return (lambda x: a.go(x)), lambda: setattr(A, "go", lambda self, x: x * 5)


@way
def call_replaced_on_class():
    class A:
        def __call__(self, x):
            return x * 2

    return A(), lambda: setattr(A, "__call__", lambda self, x: x * 5)


@way
def method_shadowed_on_instance():
    class A:
        def go(self, x):
            return x * 2

    a = A()
    return (lambda x: a.go(x)), lambda: setattr(a, "go", lambda x: x * 5)


@way
def method_shadowed_in_subclass():
    class A:
        def go(self, x):
            return x * 2

    class B(A):
        pass

    a = B()
    return (lambda x: a.go(x)), lambda: setattr(B, "go", lambda self, x: x * 5)


@way
def class_of_object():
    class A:
        def go(self, x):
            return x * 2

    class B:
        def go(self, x):
            return x * 3

    a = A()
    return (lambda x: a.go(x)), lambda: setattr(a, "__class__", B)


@way
def classmethod_():
    Base.factor = 3.0
    return (lambda x: Child.make(x)), lambda: setattr(Base, "factor", 4.0)


@way
def staticmethod_():
    globals()["G"] = 2.0
    return (lambda x: Child.stat(x)), setg


@way
def property_():
    n = Child(2.0)
    return (lambda x: n.double * x), lambda: setattr(n, "w", 3.0)


@way
def cached_property_():
    class A:
        w = 2.0

        @functools.cached_property
        def twice(self):
            return 2 * self.w

    a = A()
    return (lambda x: a.twice * x), lambda: (delattr(a, "twice"), setattr(a, "w", 3.0))


@way
def descriptor():
    n = WithDesc()
    n.w = 2.0
    return (lambda x: n.w * x), lambda: setattr(n, "w", 3.0)


@way
def through_getattr():
    l = Layer(2.0)
    return (lambda x: getattr(l, "w") * x), lambda: setattr(l, "w", 3.0)  # noqa: B009


@way
def through_getattr_computed():
    l = Layer(2.0)
    l.w1 = 3.0
    return (lambda x: getattr(l, "w" + str(1)) * x), lambda: setattr(l, "w1", 4.0)


@way
def through_getattr_captured_name():
    l = Layer(2.0)
    key = "w"
    return (lambda x: getattr(l, key) * x), lambda: setattr(l, "w", 4.0)


@way
def through_vars():
    l = Layer(2.0)
    return (lambda x: vars(l)["w"] * x), lambda: setattr(l, "w", 3.0)


@way
def through_vars_values():
    l = Layer(2.0)
    return (lambda x: sum(vars(l).values()) * x), [lambda: setattr(l, "w", 3.0), lambda: setattr(l, "zz", 3.0)]


@way
def through_dict():
    l = Layer(2.0)
    return (lambda x: l.__dict__["w"] * x), lambda: setattr(l, "w", 3.0)


@way
def dict_replaced():
    l = Layer(2.0)
    return (lambda x: l.w * x), lambda: setattr(l, "__dict__", {"w": 5.0})


@way
def attrgetter_():
    l = Layer(2.0)
    g = operator.attrgetter("w")
    return (lambda x: g(l) * x), lambda: setattr(l, "w", 3.0)


@way
def attrgetter_nested():
    l = Layer(Layer(2.0))
    g = operator.attrgetter("w.w")
    return (lambda x: g(l) * x), lambda: setattr(l.w, "w", 3.0)


@way
def attrgetter_nested_of_empty_classes():
    class Empty:
        pass

    l = Empty()
    l.w = Empty()
    setattr(l.w, "v" + "w", 2.0)
    g = operator.attrgetter("w.vw")
    return (lambda x: g(l) * x), lambda: setattr(l.w, "v" + "w", 3.0)


class Added:
    def __init__(self, w):
        self.w = w

    def __add__(self, other):
        return self.w * other

    def __sub__(self, other):
        return self.w - other

    def __len__(self):
        return 3


@way
def special_method_that_ran():
    a = Added(2.0)
    add = Added.__add__
    return (lambda x: a + x), [
        lambda: setattr(Added, "__add__", lambda self, x: x),
        lambda: setattr(Added, "__add__", add),
        lambda: setattr(a, "w", 5.0),
    ]


@way
def code_of_special_method_that_ran():
    def plus(self, x):
        return 2.0 * x

    A = type("A", (), {"__add__": plus})
    a = A()
    return (lambda x: a + x), lambda: setattr(plus, "__code__", (lambda self, x: 3.0 * x).__code__)


@way
def special_method_that_runs_later():
    a, size = Added(2.0), [1.0]
    return (lambda x: (len(a) if size[0] > 1 else 1.0) * x), [
        lambda: setattr(Added, "__len__", lambda self: 5),
        lambda: size.__setitem__(0, 2.0),
        lambda: setattr(Added, "__len__", lambda self: 3),
    ]


@way
def special_method_that_runs_in_a_thread():
    a = Added(2.0)
    sub = Added.__sub__

    def f(x):
        got = []
        thread = threading.Thread(target=lambda: got.append(a - 1.0))
        thread.start()
        thread.join()
        return got[0] * x

    return f, [
        lambda: setattr(Added, "__sub__", lambda self, x: 7.0),
        lambda: setattr(Added, "__sub__", sub),
        lambda: setattr(a, "w", 5.0),
    ]


@way
def defaults_appear_where_there_were_none():
    def g(x, rate):
        return rate * x

    rates = [2.0]
    return (lambda x: g(x, *rates)), [lambda: setattr(g, "__defaults__", (5.0,)), lambda: rates.clear()]


@way
def methodcaller_():
    l = Layer(2.0)
    g = operator.methodcaller("apply", 3.0)
    return (lambda x: g(l) * x), lambda: setattr(l, "w", 3.0)


@way
def function_attribute():
    def f(x):
        return f.w * x

    f.w = 2.0
    return f, lambda: setattr(f, "w", 10.0)


@way
def default_argument():
    def f(x, w=[2.0]):  # noqa: B006
        return w[0] * x

    return f, [lambda: f.__defaults__[0].__setitem__(0, 3.0), lambda: setattr(f, "__defaults__", ([9.0],))]


@way
def kw_default():
    def f(x, *, w=2.0):
        return w * x

    return f, lambda: f.__kwdefaults__.update(w=3.0)


@way
def default_of_helper():
    def h(x, w=np.full(2, 2.0)):  # noqa: B008
        return w * x

    return (lambda x: h(x)), lambda: h.__defaults__[0].fill(3)


@way
def code_replaced():
    def f(x):
        return x * 2

    def g(x):
        return x * 3

    h = lambda x: f(x)
    return h, lambda: setattr(f, "__code__", g.__code__)


@way
def partial_():
    w = [2.0]
    return functools.partial(lambda w, x: w[0] * x, w), lambda: w.__setitem__(0, 3.0)


@way
def partial_keywords():
    p = functools.partial(lambda x, w: w * x, w=2.0)
    return p, lambda: p.keywords.update(w=3.0)


@way
def partial_of_object():
    n = Layer(2.0)
    return functools.partial(Layer.apply, n), lambda: setattr(n, "w", 3.0)


@way
def getitem():
    h = Items(2.0)
    return (lambda x: h[0] * x), lambda: h._inside.__setitem__(0, 3.0)


@way
def getattr_hook():
    h = Attr(2.0)
    return (lambda x: h.w * x), lambda: h._d.update(w=3.0)


@way
def iter_hook():
    h = Iter(2)
    return (lambda x: sum(h) * x), lambda: setattr(h, "n", 3)


@way
def operator_hook():
    class A:
        def __init__(self):
            self.k = 2.0

        def __mul__(self, x):
            return self.k * x

    a = A()
    return (lambda x: a * x), lambda: setattr(a, "k", 3.0)


@way
def len_hook():
    class A:
        def __init__(self):
            self.k = 2

        def __len__(self):
            return self.k

    a = A()
    return (lambda x: len(a) * x), lambda: setattr(a, "k", 3)


@way
def context_hook():
    class A:
        def __init__(self):
            self.k = 2.0

        def __enter__(self):
            return self.k

        def __exit__(self, *a):
            return None

    a = A()

    def f(x):
        with a as k:
            return k * x

    return f, lambda: setattr(a, "k", 3.0)


@way
def meta_attr():
    return (lambda x: WithMeta.rate * x), lambda: setattr(Meta, "rate", 3.0)


@way
def enum_value():
    class E(enum.Enum):
        A = 2.0

    return (lambda x: E.A.value * x), lambda: setattr(E.A, "_value_", 3.0)


@way
def module_attr():
    m = types.ModuleType("mymod")
    m.RATE = 2.0
    return (lambda x: m.RATE * x), lambda: setattr(m, "RATE", 3.0)


@way
def module_function_global():
    m = types.ModuleType("mymod2")
    exec("RATE = 2.0\ndef go(x): return RATE * x", m.__dict__)
    return (lambda x: m.go(x)), lambda: setattr(m, "RATE", 3.0)


@way
def module_in_module():
    m = types.ModuleType("m1")
    m.sub = types.ModuleType("m1.sub")
    m.sub.RATE = 2.0
    return (lambda x: m.sub.RATE * x), lambda: setattr(m.sub, "RATE", 3.0)


@way
def imported_inside():
    m = types.ModuleType("m_inside")
    m.RATE = 2.0
    sys.modules["m_inside"] = m

    def f(x):
        import m_inside

        return x * m_inside.RATE

    return f, lambda: setattr(m, "RATE", 3.0)


@way
def from_imported_inside():
    m = types.ModuleType("m_inside2")
    m.RATE = 2.0
    sys.modules["m_inside2"] = m

    def f(x):
        from m_inside2 import RATE

        return x * RATE

    return f, lambda: setattr(m, "RATE", 3.0)


@way
def environment():
    os.environ["MY_RATE"] = "2"
    return (lambda x: float(os.environ["MY_RATE"]) * x), lambda: os.environ.__setitem__("MY_RATE", "3")


@way
def environment_getenv():
    os.environ["MY_RATE"] = "2"
    return (lambda x: float(os.getenv("MY_RATE")) * x), lambda: os.environ.__setitem__("MY_RATE", "3")


@way
def environ_imported():
    os.environ["MY_RATE"] = "2"
    return (lambda x: float(environ["MY_RATE"]) * x), lambda: os.environ.__setitem__("MY_RATE", "3")


@way
def contextvar():
    v = contextvars.ContextVar("v", default=2.0)
    return (lambda x: v.get() * x), lambda: v.set(3.0)


@way
def contextvar_list():
    v = contextvars.ContextVar("v")
    v.set([2.0])
    return (lambda x: v.get()[0] * x), lambda: v.get().__setitem__(0, 3.0)


@way
def thread_local():
    t = threading.local()
    t.w = 2.0
    return (lambda x: t.w * x), lambda: setattr(t, "w", 3.0)


@way
def weak_reference():
    l = Layer(2.0)
    r = weakref.ref(l)
    return (lambda x: r().w * x), lambda: setattr(l, "w", 3.0)


@way
def array_array():
    a = array.array("d", [2.0])
    return (lambda x: a[0] * x), lambda: a.__setitem__(0, 3.0)


@way
def bytearray_():
    a = bytearray(b"\x02")
    return (lambda x: a[0] * x), lambda: a.__setitem__(0, 3)


@way
def memoryview_():
    a = bytearray(b"\x02")
    m = memoryview(a)
    return (lambda x: m[0] * x), lambda: a.__setitem__(0, 3)


@way
def view_of_array():
    A = np.arange(6.0)
    v = A[::3]
    return (lambda x: v * x), lambda: A.__setitem__(3, 9.0)


@way
def base_of_view():
    A = np.arange(6.0)
    v = A[::3]
    return (lambda x: np.sum(A) * x), lambda: v.__setitem__(0, 9.0)


@way
def object_array():
    A = np.array([Layer(2.0), Layer(3.0)], dtype=object)
    return (lambda x: A[0].w * x), lambda: setattr(A[0], "w", 9.0)


@way
def object_array_entry():
    A = np.array([Layer(2.0), Layer(3.0)], dtype=object)
    return (lambda x: A[0].w * x), lambda: A.__setitem__(0, Layer(8.0))


@way
def array_shape():
    A = np.arange(4.0)
    return (lambda x: A.shape[0] * x), lambda: setattr(A, "shape", (2, 2))


@way
def array_dtype():
    A = np.arange(4.0)
    return (lambda x: float(A.ravel()[1]) * x), lambda: setattr(A, "dtype", np.int64)


@way
def structured():
    A = np.zeros(2, [("w", float)])
    A["w"] = 2
    return (lambda x: A["w"] * x), lambda: A["w"].fill(3)


@way
def large_array():
    A = np.ones((300, 300))
    return (lambda x: np.sum(A) * x), lambda: A.__setitem__((7, 11), 2)


@way
def memmap_():
    A = np.memmap(tempfile.mktemp(), float, "w+", shape=(2,))
    A[:] = 2
    return (lambda x: A * x), lambda: A.__setitem__(0, 3)


@way
def tensor_data():
    V = at.Tensor([1.0, 2.0])
    return (lambda x: at.grad(lambda y: np.sum(V.detach() * y))(x)), [
        lambda: setattr(V, "data", [3.0, 4.0]),
        lambda: V.data.__setitem__(0, 9),
    ]


@way
def tensor_in_object():
    V = at.Tensor([1.0, 2.0], requires_grad=False)
    l = Layer(V)
    return (lambda x: (l.w * x) * 1.0), [lambda: setattr(V, "data", [3.0, 4.0]), lambda: V.data.__setitem__(0, 9)]


@way
def tensor_grad():
    V = at.Tensor([1.0, 2.0])
    np.sum(V * V).backward()
    return (lambda x: V.grad * x), [
        lambda: np.sum(V * V).backward(),
        lambda: setattr(V, "grad", None) or setattr(V, "grad", np.ones(2)),
        lambda: V.grad.fill(8),
    ]


@way
def network():
    net = at.nn.Network((2, 3, 2), seed=0)
    return (lambda x: net(x[:, None]).detach()), lambda: setattr(
        net.parameters["W1"], "data", net.parameters["W1"].data * 2 + 1
    )


@way
def self_reference():
    a = Layer(2.0)
    b = Layer(3.0)
    a.other, b.other = b, a
    return (lambda x: a.other.other.other.w * x), lambda: setattr(b, "w", 5.0)


@way
def self_containing_list():
    a = [2.0]
    a.append(a)
    return (lambda x: a[1][1][0] * x), lambda: a.__setitem__(0, 5.0)


@way
def linked_list():
    first = node = Layer(2.0)
    for _ in range(300):
        node.next = Layer(2.0)
        node = node.next
    last = node

    def f(x):
        n = first
        while hasattr(n, "next"):
            n = n.next
        return n.w * x

    return f, lambda: setattr(last, "w", 5.0)


@way
def deep_objects():
    o = Layer(Layer(Layer(Layer(Layer(Layer(Layer(Layer(2.0))))))))
    return (lambda x: o.w.w.w.w.w.w.w.w * x), lambda: setattr(o.w.w.w.w.w.w.w, "w", 3.0)


@way
def decorated():
    r = [2.0]

    def deco(g):
        @functools.wraps(g)
        def w(*a):
            return g(*a) * r[0]

        return w

    @deco
    def f(x):
        return x

    return f, lambda: r.__setitem__(0, 3.0)


@way
def lru_cached():
    r = [2.0]

    @functools.lru_cache
    def k():
        return r[0]

    return (lambda x: k() * x), lambda: (k.cache_clear(), r.__setitem__(0, 3.0))


@way
def single_dispatch():
    @functools.singledispatch
    def k(x):
        return 2.0

    return (lambda x: k(1) * x), lambda: k.register(int, lambda x: 3.0)


@way
def contextmanager_():
    r = [2.0]

    @contextlib.contextmanager
    def m():
        yield r[0]

    def f(x):
        with m() as k:
            return k * x

    return f, lambda: r.__setitem__(0, 3.0)


@way
def generator_function():
    r = [2.0]

    def g():
        for i in range(2):
            yield r[0] * i

    return (lambda x: sum(g()) * x), lambda: r.__setitem__(0, 3.0)


@way
def through_derivative():
    r = [2.0]
    return at.grad(lambda x: np.sum(x * x * r[0])), lambda: r.__setitem__(0, 3.0)


@way
def through_compiled():
    r = [2.0]
    g = at.compile(lambda x: x * r[0])
    return (lambda x: g.f(x) + 1), lambda: r.__setitem__(0, 3.0)


@way
def argument_default_object():
    l = Layer(2.0)

    def f(x, l=l):
        return l.w * x

    return f, lambda: setattr(l, "w", 3.0)


@way
def list_method_captured():
    l = [2.0]
    get = l.__getitem__
    return (lambda x: get(0) * x), lambda: l.__setitem__(0, 3.0)


@way
def dict_get_captured():
    d = {"a": 2.0}
    get = d.get
    return (lambda x: get("a") * x), lambda: d.update(a=3.0)


@way
def dict_view_captured():
    d = {"a": 2.0}
    v = d.values()
    return (lambda x: sum(v) * x), lambda: d.update(a=3.0)


@way
def list_subclass():
    class L(list):
        pass

    l = L([2.0])
    l.scale = 2.0
    return (lambda x: l[0] * l.scale * x), [lambda: l.__setitem__(0, 3.0), lambda: setattr(l, "scale", 4.0)]


@way
def dict_subclass_missing():
    class D(dict):
        k = 2.0

        def __missing__(self, key):
            return self.k

    d = D()
    return (lambda x: d["q"] * x), lambda: setattr(d, "k", 3.0)


@way
def ndarray_subclass_attr():
    class A(np.ndarray):
        pass

    a = np.ones(2).view(A)
    a.rate = 2.0
    return (lambda x: a.rate * x), lambda: setattr(a, "rate", 3.0)


@way
def builtin_shadowed():
    ns = {}
    exec("def f(x): return abs(-2.0) * x", ns)
    return ns["f"], lambda: ns.__setitem__("abs", lambda x: 5.0)


@way
def numpy_patched():
    ns = {}
    exec("import numpy as np\ndef f(x): return np.array(RATE) * x\nRATE = 2.0", ns)
    return ns["f"], lambda: ns.__setitem__("np", types.SimpleNamespace(array=lambda r: 7.0))


@refused
def eval_global():
    globals()["G"] = 2.0
    return lambda x: eval("G + 0.0") * x


@way
def import_module_call():
    m = types.ModuleType("m_sys2")
    m.RATE = 2.0
    sys.modules["m_sys2"] = m
    return (lambda x: importlib.import_module("m_sys2").RATE * x), lambda: setattr(m, "RATE", 3.0)


@refused
def file_contents():
    p = pathlib.Path(tempfile.mktemp())
    p.write_text("2")

    def f(x):
        with open(p) as h:
            return float(h.read()) * x

    return f


@refused
def file_contents_pathlib():
    p = pathlib.Path(tempfile.mktemp())
    p.write_text("2")
    return lambda x: float(p.read_text()) * x


@refused
def file_np_load():
    p = tempfile.mktemp(suffix=".npy")
    np.save(p, 2.0)
    return lambda x: np.load(p) * x


@refused
def clock():
    return lambda x: x * time.perf_counter()


@refused
def clock_imported():
    return lambda x: x * now()


@refused
def today():
    return lambda x: x * datetime.date.today().year


@refused
def rng_bound():
    r = np.random.default_rng(0)
    n = r.normal
    return lambda x: x * n()


@refused
def rng_in_object():
    r = Layer(np.random.default_rng(0))
    return lambda x: x * r.w.normal()


@refused
def rng_python():
    r = random.Random(0)
    return lambda x: x * r.random()


@refused
def rng_python_global():
    return lambda x: x * random.random()


@refused
def os_urandom():
    return lambda x: x * os.urandom(1)[0]


@refused
def captured_iterator():
    it = iter([2.0, 3.0, 4.0, 5.0, 6.0])
    return lambda x: next(it) * x


@refused
def captured_generator():
    it = (float(i) for i in range(2, 20))
    return lambda x: next(it) * x


@refused
def captured_count():
    it = itertools.count(2)
    return lambda x: next(it) * x


@refused
def captured_cycle_in_object():
    it = Layer(itertools.cycle([2.0, 3.0]))
    return lambda x: next(it.w) * x


@refused
def captured_bound_next():
    it = iter([2.0, 3.0, 4.0]).__next__
    return lambda x: it() * x


@way
def ctypes_():
    c = ctypes.c_double(2.0)
    return (lambda x: c.value * x), lambda: setattr(c, "value", 3.0)


@refused
def sqlite_():
    c = sqlite3.connect(":memory:")
    c.execute("create table t (w)")
    c.execute("insert into t values (2.0)")
    return lambda x: c.execute("select w from t").fetchone()[0] * x


@refused
def string_io():
    s = io.StringIO("2")
    return lambda x: float(s.getvalue()) * x


@way
def queue_():
    q = queue.Queue()
    q.put(2.0)
    return (lambda x: q.queue[0] * x), lambda: q.queue.__setitem__(0, 3.0)


@way
def argparse_ns():
    n = argparse.Namespace(rate=2.0)
    return (lambda x: n.rate * x), lambda: setattr(n, "rate", 3.0)


@way
def config_parser():
    c = configparser.ConfigParser()
    c.read_string("[a]\nrate = 2")
    return (lambda x: float(c["a"]["rate"]) * x), lambda: c["a"].__setitem__("rate", "3")


@way
def fraction_rebound():
    r = [fractions.Fraction(1, 2)]
    return (lambda x: float(r[0]) * x), lambda: r.__setitem__(0, fractions.Fraction(1, 3))


@way
def heap():
    h = [(2.0, Layer(2.0))]
    return (lambda x: h[0][1].w * x), lambda: setattr(h[0][1], "w", 3.0)


@way
def super_call():
    class A:
        k = 2.0

        def go(self, x):
            return x * self.k

    class B(A):
        def go(self, x):
            return super().go(x) + 1

    b = B()
    return (lambda x: b.go(x)), [lambda: setattr(A, "k", 3.0), lambda: setattr(A, "go", lambda self, x: x * 50)]


@way
def mangled():
    class A:
        def __init__(self):
            self.__w = 2.0

        def go(self, x):
            return x * self.__w

        def set(self):
            self.__w = 3.0

    a = A()
    return (lambda x: a.go(x)), lambda: a.set()


@way
def mangled_slots():
    class A:
        __slots__ = ("__w",)

        def __init__(self):
            self.__w = 2.0

        def go(self, x):
            return x * self.__w

        def set(self):
            self.__w = 3.0

    a = A()
    return (lambda x: a.go(x)), lambda: a.set()


@way
def wrapped_object_function():
    class Wrap:
        def __init__(self, f):
            self.f, self.k = f, 2.0
            functools.update_wrapper(self, f)

        def __call__(self, x):
            return self.f(x) * self.k

    w = Wrap(lambda x: x)
    return w, lambda: setattr(w, "k", 3.0)


@way
def np_vectorize():
    r = [2.0]
    v = np.vectorize(lambda t: t * r[0])
    return (lambda x: float(v(2.0)) * x), lambda: r.__setitem__(0, 3.0)


@way
def bound_through_map():
    l = [Layer(2.0)]
    return (lambda x: sum(map(operator.attrgetter("w"), l)) * x), lambda: setattr(l[0], "w", 3.0)


@way
def function_in_list():
    fs = [lambda x: x * 2.0, lambda x: x + 1]

    def f(x):
        for g in fs:
            x = g(x)
        return x

    return f, lambda: fs.reverse()


@way
def float_attr_equal_then_changed():
    l = Layer(2.0)
    return (lambda x: l.w * x), [lambda: setattr(l, "w", 2.5), lambda: setattr(l, "w", float("nan"))]


@way
def type_of_number():
    l = Layer(2)
    return (lambda x: x * 3 if isinstance(l.w, float) else x), lambda: setattr(l, "w", 2.0)
