"""Stacked MNIST, three digits as colours, 1,000 modes (Metz et al. 2017, arXiv:1611.02163).

Each channel's digit is drawn on its own from MNIST's training set, anew for each stack; PacGAN (Lin et al. 2018,
arXiv:1712.04086) fixes 128,000 stacks instead. The classifier that the metric ``classes`` asks is a perceptron, fitted
once to the 60,000 digits, in 40 s; how good it is stands in the column classifier_accuracy. MNIST's classes are not
equally frequent: against equal shares, as in PacGAN, the data itself would have a KL of 0.0043. Held out are 10,000
stacks, of the test set. Files and ``size`` as for ``mnist``.
"""

from functools import cache
from typing import Literal

from ganbench import Dataset, hookimpl
from ganbench.data.finite_set import Finite
from ganbench.data.image_files import bordered, mnist
from ganbench.data.stacked_images import Stacked


def stacked_mnist(*, size: Literal[28, 32] = 28, download: bool = False):
    return stacked(bordered(mnist(fetch=download), size))


@cache  # the same data makes the same stacks, and its classifier is fitted once
def stacked(images):
    return Stacked(Finite(images.training, images.held_out), images.training_labels, images.held_out_labels, perceptron)


def perceptron():
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((256,), batch_size=200, max_iter=10, random_state=0)


@hookimpl
def ganbench_datasets():
    yield Dataset("stacked-mnist", stacked_mnist)
