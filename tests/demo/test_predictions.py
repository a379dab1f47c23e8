import base64
import io

import numpy as np
from matplotlib.image import imread

from autotiny import nn
from autotiny.demo import predictions


def pixels(uri):
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    return imread(io.BytesIO(base64.b64decode(data)), format="png")


def test_ink_is_as_opaque_as_the_pixel_is_dark():
    digit = nn.digits().X[:, 0].reshape(8, 8)
    picture = pixels(predictions.ink(digit))
    assert picture.shape == (10, 10, 4)
    assert not picture[:, :, :3].any()
    np.testing.assert_allclose(picture[1:-1, 1:-1, 3], digit / 16, atol=1 / 255)


def test_digits_stand_side_by_side():
    assert pixels(predictions.ink(*np.zeros((3, 8, 8)))).shape == (10, 30, 4)


def test_heat_shows_sign_by_colour_and_size_by_opacity():
    picture = pixels(predictions.heat(np.array([[1.0, -0.5, 0.0]])))
    np.testing.assert_allclose(picture[0, :, 3], [1, 0.5, 0], atol=1 / 255)
    red, blue = picture[0, :2, 0], picture[0, :2, 2]
    assert red[0] > blue[0]
    assert red[1] < blue[1]
