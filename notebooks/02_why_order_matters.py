import numpy as np

import autotiny as at
from autotiny.engine.graph import topological_order

# %% [markdown]
# # 2. Why order matters
#
# **Question.** Backprop visits each operation once, and passes its gradient on to the operands. Does it matter in which
# order the operations are visited, as long as none is forgotten?

# %%


# %% [markdown]
# Here is the whole of backprop in eight lines, for an order that is given to it. Each operation has one rule for each of
# its operands, `rule(g, y, *args)`: the contribution to that operand when `g` has arrived at `y`.


# %%
def sweep(order, output):
    grads = {output: 1.0}
    for node in order:
        if node.op is not None and node in grads:
            values = [getattr(arg, "data", arg) for arg in node.args]
            for arg, rule in zip(node.args, node.op.rules, strict=True):
                if isinstance(arg, at.Tensor):
                    grads[arg] = grads.get(arg, 0.0) + rule(grads[node], node.data, *values)
    return grads


# %% [markdown]
# And here is an expression in which `b` is used twice: by the product, and directly by the last sum.

# %%
a = at.Tensor(2.0, name="a")
b = a * 3.0
b.name = "b"
c = b * b
c.name = "c"
y = c + b
y.name = "y"
at.draw(y)

# %% [markdown]
# **Predict first.** $y = b^2 + b$ with $b = 3a = 6$, so $dy/db = 2b + 1 = 13$ and $dy/da = 3 \cdot 13 = 39$.
#
# Now let the sweep visit `b` *before* `c`. When `b`'s turn comes, only the direct path has contributed: 1. So `b` passes
# $3 \cdot 1 = 3$ on to `a`. The 12 that arrives from `c` later comes too late: `b` has had its turn.

# %%
wrong = sweep([y, b, c, a], y)
{node.name: float(wrong[node]) for node in (b, a)}

# %% [markdown]
# `b` itself ends up right, with 13, but `a` has 3 instead of 39. Nothing crashed, and nothing was forgotten: the answer is
# merely wrong. In a *topological order*, read backwards, each result comes before its operands, so that every use of a value
# has contributed when the value's own turn comes.

# %%
right = sweep(reversed(topological_order(y)), y)
{node.name: float(right[node]) for node in (b, a)}

# %% [markdown]
# ## Why not follow each path?
#
# One could also visit a node each time that something arrives at it. That is right, too, and hopeless: in a chain of $n$
# doublings $y \leftarrow (y + y) / 2$ there are $2^n$ paths from the output to the input.
#
# **Predict first.** Ten doublings have $2^{10} = 1024$ paths; in topological order there are 20 operations to visit.


# %%
def doublings(n):
    x = at.Tensor(1.0)
    y = x
    for _ in range(n):
        y = (y + y) * 0.5
    return x, y


def paths(node):
    return 1 if node.op is None else sum(map(paths, node.parents))


x, y = doublings(10)
paths(y), sum(node.op is not None for node in topological_order(y))

# %% [markdown]
# With a thousand doublings there are more paths than atoms in the universe. The gradient takes milliseconds.

# %%
x, y = doublings(1000)
y.backward()
x.grad

# %% [markdown]
# ## How the engine finds the order
#
# A textbook sorts the graph by a recursive depth-first walk. Python's recursion ends after about a thousand calls, and a
# million operations are nothing unusual. autotiny numbers every operation when it is recorded. An operation is always
# recorded after its operands, so sorting by number *is* a topological sort.

# %%
x = at.Tensor(0.5)
y = x
for _ in range(100_000):
    y = y * 1.00001
y.backward()
np.round(x.grad, 6), np.round(1.00001**100_000, 6)

# %% [markdown]
# ## To try
#
# 1. Find another order for `[y, c, b, a]` that gives the right gradients, or show that there is none.
# 2. Draw the graph of three doublings and count the eight paths with a finger.
