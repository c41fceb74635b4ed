"""Handwritten digits, 1,797 images of 8 x 8 pixels (Alpaydin and Kaynak 1998, doi:10.24432/C50P49).

As scikit-learn carries them: nothing is downloaded. Pixels are scaled from 0..16 to [-1, 1]. A fixed fifth of each
class, 360 images, is held out; samples are drawn, with replacement, from the other 1,437, so they repeat.
A sample's label is its digit.
"""

import torch

from ganbench import Dataset, hookimpl
from ganbench.data.labelled_set import LabelledSet


def digits():
    from sklearn.datasets import load_digits  # slow to import, and listing plugins must not wait for it
    from sklearn.model_selection import train_test_split

    pixels, classes = load_digits(return_X_y=True)
    held_out = torch.zeros(len(pixels), dtype=torch.bool)
    held_out[train_test_split(range(len(pixels)), test_size=360, stratify=classes, random_state=0)[1]] = True
    images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).reshape(-1, 1, 8, 8)
    return LabelledSet(images[~held_out], images[held_out], classes[~held_out], classes[held_out], support_vectors)


def support_vectors():
    from sklearn.svm import SVC

    return SVC(C=10, gamma=0.02)


@hookimpl
def ganbench_datasets():
    yield Dataset("digits", digits)
