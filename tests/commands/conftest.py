"""Fixtures of the packages that these commands run."""

from demo.conftest import demonstration as demonstration
from nn.conftest import assert_same_bits as assert_same_bits
from nn.conftest import blobs as blobs
from nn.conftest import make_training as make_training
