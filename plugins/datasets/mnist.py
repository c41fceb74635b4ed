"""MNIST (LeCun et al. 1998, doi:10.1109/5.726791) and Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747), 28 x 28.

60,000 images, drawn with replacement, and the 10,000 of the test set held out; pixels scaled from 0..255 to [-1, 1].
``size: 32`` adds a border of two black pixels. The files lie in ``--data DIR`` as torchvision puts them
(DIR/MNIST/raw, DIR/FashionMNIST/raw; packed or not), and ``download: true`` has it do so.
"""

from typing import Literal

from ganbench import Dataset, hookimpl
from ganbench.data.image_files import bordered, mnist
from ganbench.data.labelled_set import LabelledSet


def digits(*, size: Literal[28, 32] = 28, download: bool = False):
    """MNIST (LeCun et al. 1998, doi:10.1109/5.726791): handwritten digits, 28 x 28, from files."""
    return labelled(bordered(mnist("MNIST", fetch=download), size))


def fashion(*, size: Literal[28, 32] = 28, download: bool = False):
    """Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747): articles of clothing, 28 x 28, from files."""
    return labelled(bordered(mnist("FashionMNIST", fetch=download), size))


def labelled(images):
    return LabelledSet(images.training, images.held_out, images.training_labels, images.held_out_labels)


@hookimpl
def ganbench_datasets():
    yield Dataset("mnist", digits)
    yield Dataset("fashion-mnist", fashion)
