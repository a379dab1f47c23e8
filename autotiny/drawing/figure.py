"""A picture in a page of another's, whose cards open on click: in a notebook, or as a figure that zooms and enlarges.

The scripts are the modules in templates/, put together: a page that is one file cannot import them.
"""

import base64
import hashlib
import re
from importlib.resources import files

from autotiny.notation.palette import css_variables

SERVED = ("closer.js", "closer.css")
"""The templates that a page with files of its own has among them."""


def template(name: str) -> str:
    """Return the text of a file in templates/."""
    return (files("autotiny.drawing") / "templates" / name).read_text(encoding="utf-8")


def script_of(*modules: str) -> str:
    """Return JavaScript modules as one script: what each exports is known to those after it."""
    text = "\n".join(map(template, modules))
    return '"use strict";\n' + re.sub(r"^export ", "", text, flags=re.MULTILINE)


def hash_of(script: str) -> str:
    """Return the hash by which a page's security policy allows a script or a style sheet.

    >>> hash_of("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def in_a_cell(svg: str, data: str) -> str:
    """Return a picture for the output of a notebook's cell; where no script runs there, it is the picture alone."""
    style = css_variables(".closer") + template("closer.css")
    script = script_of("closer.js", "cell.js")
    return f'{svg}{_hidden(data)}<style>{style}</style><script type="module">{script}</script>'


def figure(svg: str, data: str) -> str:
    """Return a picture that zooms, pans, enlarges and opens, for a page with `figure_style` and `figure_script`."""
    return (
        '<div class="picture"><div class="tools" role="toolbar" aria-label="The picture" hidden="hidden"></div>\n'
        f'<div class="stage" tabindex="0" role="region" aria-label="The graph">{svg}</div></div>{_hidden(data)}'
    )


def figure_style() -> str:
    """Return the style sheet of a page with figures."""
    return "".join(map(template, ("zoom.css", "closer.css", "figure.css")))


def figure_script() -> str:
    """Return the script of a page with figures, which may be XML."""
    return "//<![CDATA[\n" + script_of("closer.js", "zoom.js", "figure.js") + "//]]>"


def _hidden(data: str) -> str:
    return f'<div class="closer-data" hidden="hidden">{data}</div>'
