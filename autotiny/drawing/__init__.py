"""Pictures of recorded graphs."""

from autotiny.drawing.picture import GraphTooLargeError, Picture, draw
from autotiny.drawing.render import GraphvizMissingError

__all__ = ["GraphTooLargeError", "GraphvizMissingError", "Picture", "draw"]
