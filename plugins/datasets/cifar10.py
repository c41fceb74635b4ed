"""CIFAR-10, 32 x 32 colour photographs of ten classes (Krizhevsky 2009, "Learning multiple layers of features").

50,000 images, drawn with replacement, and the 10,000 of the test batch held out; pixels scaled from 0..255 to [-1, 1].
The files lie in ``--data DIR`` as torchvision puts them (DIR/cifar-10-batches-py), and ``download: true`` has it do so.
"""

from ganbench import Dataset, hookimpl
from ganbench.data.image_files import cifar10
from ganbench.data.labelled_set import LabelledSet


def images(*, download: bool = False):
    found = cifar10(fetch=download)
    return LabelledSet(found.training, found.held_out, found.training_labels, found.held_out_labels)


@hookimpl
def ganbench_datasets():
    yield Dataset("cifar10", images)
