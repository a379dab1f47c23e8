"""The engine of the playground in a page without a server: questions and answers as JSON text, in a Web Worker.

The page's engine is whatever answers `answer(kind, question)` in JavaScript: static/engine.js asks the local process of
`autotiny play`, and tools/site/worker/engine.js this module, which Pyodide runs.
"""

import json

from autotiny.playground.answers import answer
from autotiny.playground.limits import PLAYGROUND


def answered(kind: str, question: str) -> str:
    """Return the answer to a question of one kind, both as JSON.

    >>> answered("picture", '{"program": "y = x + x", "values": {"x": {"value": 2}}}')[:50]
    '{"lines": [{"line": 1, "name": "y", "shape": [], "'
    """
    return json.dumps(answer({**json.loads(question), "kind": kind}, PLAYGROUND), allow_nan=False)
