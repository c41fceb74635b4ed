"""What a suite may expect of a variant."""

from typing import Literal

Expectation = Literal["fails", "converges"]
