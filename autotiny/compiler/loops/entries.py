"""The entries of arrays that statements read and write, in code: W1[i, 2 * k + 1]."""

from collections.abc import Sequence

from autotiny.compiler.loops.accesses import Access, Index
from autotiny.compiler.loops.nests import Statement


def moved(read: Access, statement: Statement, indices: Sequence[Index]) -> Access:
    """Return what a statement would read, did it compute another entry."""
    loops = {
        index.loop: other for index, other in zip(statement.target, indices, strict=True) if index.loop is not None
    }
    return Access(
        read.root, tuple(index if index.loop is None else through(index, loops[index.loop]) for index in read.indices)
    )


def neighbour(read: Access, loop: int, turns: int) -> Access:
    """Return what is read some turns of a loop ahead."""
    ahead = [index._replace(offset=index.offset + turns * index.scale) for index in read.indices]
    pairs = zip(read.indices, ahead, strict=True)
    return Access(read.root, tuple(other if index.loop == loop else index for index, other in pairs))


def through(index: Index, other: Index) -> Index:
    """Return an index after that of its loop has been replaced."""
    return Index(other.loop, index.scale * other.scale, index.scale * other.offset + index.offset)


def entry(name: str, indices: Sequence[Index], statement: Statement) -> str:
    """Return an entry of an array: W1[i, 2 * k + 1]."""
    return f"{name}[{', '.join(index_text(index, statement) for index in indices)}]" if indices else name


def index_text(index: Index, statement: Statement) -> str:
    """Return the text of an index."""
    if index.loop is None:
        return str(index.offset)
    name = statement.path[index.loop].name
    if index.scale == 1:
        return f"{name} + {index.offset}" if index.offset > 0 else f"{name} - {-index.offset}" if index.offset else name
    if index.scale == -1 and index.offset:
        return f"{index.offset} - {name}"
    text = f"{index.scale} * {name}"
    return f"{text} + {index.offset}" if index.offset else text
