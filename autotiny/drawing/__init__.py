"""Pictures of recorded graphs."""

from autotiny.drawing.picture import Picture, draw
from autotiny.drawing.render import GraphvizMissingError
from autotiny.drawing.scene import GraphTooLargeError

__all__ = ["GraphTooLargeError", "GraphvizMissingError", "Picture", "draw"]
