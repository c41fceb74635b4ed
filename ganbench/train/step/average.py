"""The running average of the generator's weights, which is what is evaluated, moved by each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganbench.suite.average import Average


@dataclass(frozen=True)
class RunningAverage:
    """How the average follows the weights.

    ``number``: the decay or, where ``relative``, a power p: after n steps the weights after step i then count
    (i^p - (i - 1)^p) / n^p, whatever n is; those before training count nothing.
    """

    number: float | Tensor
    relative: bool

    @classmethod
    def of(cls, average: Average) -> RunningAverage:
        """What a suite says, as a step computes it."""
        if average.width is None:
            assert average.decay is not None
            return cls(average.decay, relative=False)
        return cls(power(average.width), relative=True)

    def after(self, mean: Tensor, theta: Tensor, step: Tensor) -> Tensor:
        """The average after a step.

        Args:
            mean: the average before it, (parameters,)
            theta: the weights after it, (parameters,)
            step: the number of the step, from 0

        Returns:
            The average, (parameters,). Source where it is relative: Karras et al. 2024, arXiv:2312.02696, equation 127.
        """
        if not self.relative:
            return mean + (1 - self.number) * (theta - mean)
        # 1 - (1 - 1 / t)^p for the step t = 1, 2, ..., to the last digit also where t is large.
        new = -torch.expm1(self.number * torch.log1p(-1 / (step + 1)))
        return mean + new * (theta - mean)


def power(width: float) -> float:
    """The power of an average of a width.

    The width is the standard deviation of a number on (0, 1) whose density is p u^(p - 1): its square is
    p / ((p + 1)^2 (p + 2)) (Karras et al. 2024, equations 123 and 126, where p is gamma + 1).
    """
    return float(np.roots([1, 4, 5 - width**-2, 2]).real.max())
