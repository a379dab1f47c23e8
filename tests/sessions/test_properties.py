"""Whatever is edited, undone and made again, a session is what its text says, and nothing that failed shows."""

import contextlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autotiny as at
from autotiny.errors import AutotinyError

NAMES = ["a", "b", "c", "d", "J"]
names = st.sampled_from(NAMES)
formulas = st.sampled_from(
    ["{0} * {1}", "tanh({0}) + {1}", "sum({0} * {1})", "exp({0}) / (1 + exp({1}))", "maximum({0}, {1})", "{0} @ {1}"]
)
values = st.sampled_from([0.5, -2.0, [1.0, 2.0], [3.0, -1.0], [[1.0, 2.0], [0.5, -1.0]]])
edits = st.one_of(
    st.tuples(st.just("assign"), names, values),
    st.tuples(st.just("assign"), names, st.builds(str.format, formulas, names, names)),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("swap"), names, st.sampled_from(["*", "tanh", "exp"]), st.sampled_from(["+", "sin"])),
    st.tuples(st.just("__delitem__"), names),
    st.tuples(st.just("adopt"), st.builds(dict)),
    st.tuples(st.sampled_from(["undo", "redo"])),
)


def seen(session):
    def numbers(value):
        return None if value is None else np.asarray(getattr(value, "_value", value)).tolist()

    tensors = {name: numbers(getattr(value, "grad", None)) for name, value in session.values.items()}
    grads = {name: numbers(session.grad(name)) for name in session}
    return session.text, session.output, {n: numbers(v) for n, v in session.values.items()}, grads, tensors


def anew(session):
    other = at.session()
    other.edit(session.text)
    return other


@given(st.lists(edits, max_size=25))
@settings(max_examples=150, deadline=None)
def test_after_any_edits_all_is_as_if_computed_anew(sequence):
    session = at.session()
    session.edit("a = 2\nb = [1, -1]\nc = tanh(b * a)\nJ = sum(c * c)")
    for word, *arguments in sequence:
        before = seen(session)
        try:
            getattr(session, word)(*arguments)
        except AutotinyError:
            assert seen(session) == before
    np.testing.assert_equal(seen(session), seen(anew(session)))


@given(st.lists(edits, max_size=12))
@settings(max_examples=80, deadline=None)
def test_any_edits_can_be_undone_and_made_again(sequence):
    session = at.session()
    session.edit("a = 2\nb = [1, -1]\nJ = sum(b * a)")
    states = [seen(session)]
    for word, *arguments in sequence:
        if word in ("undo", "redo"):
            continue
        with contextlib.suppress(AutotinyError):
            getattr(session, word)(*arguments)
            if seen(session) != states[-1]:
                states.append(seen(session))
    for state in reversed(states[:-1]):
        session.undo()
        np.testing.assert_equal(seen(session), state)
    for state in states[1:]:
        session.redo()
        np.testing.assert_equal(seen(session), state)


@given(st.lists(edits, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_session_is_read_back_from_its_script(tmp_path_factory, sequence):
    session = at.session()
    session.edit("a = 2\nb = [1, -1]\nJ = sum(b * a)")
    for word, *arguments in sequence:
        with contextlib.suppress(AutotinyError):
            getattr(session, word)(*arguments)
    path = tmp_path_factory.mktemp("kept") / "session.py"
    session.save(path)
    np.testing.assert_equal(seen(at.session.load(path))[1:], seen(session)[1:])
