"""Arrays as small images in data URIs: one pixel for each entry, with transparency, so that any background works."""

import base64
import io

import numpy as np

from autotiny.nn.datasets import Array
from autotiny.notation.palette import BLUE, VERMILLION, rgb

DARKEST = 16
"""The value of a black pixel."""


def ink(*digits: Array) -> str:
    """Return digits (8, 8) of pixels from 0 to 16 side by side, in black on transparent: a dark page may invert it."""
    strip = np.concatenate([np.pad(digit, 1) for digit in digits], axis=1) / DARKEST
    return _data_uri(np.zeros((*strip.shape, 3)), strip)


def heat(matrix: Array) -> str:
    """Return a heat map of entries from -1 to 1: vermilion above 0, blue below, more opaque further from 0."""
    colours = np.where(matrix[:, :, None] > 0, rgb(VERMILLION), rgb(BLUE)) / 255
    return _data_uri(colours, np.abs(matrix))


def _data_uri(colours: Array, opacity: Array) -> str:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, np.dstack([colours, np.clip(opacity, 0, 1)]), format="png", metadata={"Software": ""})
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
