"""Stacked MNIST in small: three digits of 8 x 8 pixels as colours, 1,000 modes (Metz et al. 2017, arXiv:1611.02163).

The digits are those of the data set ``digits`` (nothing is downloaded), split as there; each channel's is drawn on its
own. The classifier that the metric ``classes`` asks is a support vector machine, fitted to the training digits; it gets
99 % of those held out right, so that 97 in 100 stacks of the data are counted where they belong. Of few samples not all
of 1,000 modes are seen, and the KL is far above 0: put them beside their floors. 360 stacks of 360 digits are held out.
"""

from functools import cache

import torch

from ganbench import Dataset, hookimpl
from ganbench.data.finite_set import Finite
from ganbench.data.stacked_images import Stacked


@cache
def stacked_digits():
    from sklearn.datasets import load_digits  # slow to import, and listing plugins must not wait for it
    from sklearn.model_selection import train_test_split

    pixels, classes = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).reshape(-1, 1, 8, 8)
    held_out = train_test_split(range(len(pixels)), test_size=360, stratify=classes, random_state=0)[1]
    of_training = torch.ones(len(pixels), dtype=torch.bool)
    of_training[held_out] = False
    digits = Finite(images[of_training], images[~of_training])
    return Stacked(digits, classes[of_training], classes[~of_training], support_vectors)


def support_vectors():
    from sklearn.svm import SVC

    return SVC(C=10, gamma=0.02)


@hookimpl
def ganbench_datasets():
    yield Dataset("stacked-digits", stacked_digits)
