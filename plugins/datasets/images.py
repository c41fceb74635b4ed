"""Images of your own: a folder of PNG and JPEG files, or an .npz file of bytes; no citation, they are yours.

Pixels are scaled from 0..255 to [-1, 1]. ``size`` cuts each image to a square in its middle and scales it; without it
all must have one size. ``held_out`` of the images, a choice that ``split_seed`` makes, are kept for evaluation; samples
are drawn, with replacement, from the others. Labels are the folders in the folder, or an array ``labels`` of the file.
"""

from typing import Annotated

from pydantic import Field, NonNegativeInt

from ganbench import Dataset, NotApplicableError, hookimpl
from ganbench.data.finite_set import Finite
from ganbench.data.image_folder import read_folder, read_npz
from ganbench.data.labelled_set import LabelledSet
from ganbench.data.split import split


def images(
    find,
    *,
    folder: str | None = None,
    file: str | None = None,
    size: Annotated[int, Field(ge=4, le=1024)] | None = None,
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2,
    split_seed: NonNegativeInt = 0,
):
    if (folder is None) == (file is None):
        raise NotApplicableError(
            "folder: give a folder of images, or the .npz file that holds them as file: one of the two"
        )
    found = read_npz(find(file), size) if file is not None else read_folder(find(folder, "folder"), size)
    training, kept = split(len(found.pixels), held_out, split_seed)
    data, classes = parted(found, training, kept)
    count = f"{len(training):,} images to train on, {len(kept):,} held out by split_seed {split_seed}"
    data.description = "; ".join((f"{folder or file}: {count}", *found.notes, *classes))
    return data


def parted(found, training, kept):
    """The data, with labels where the images have them, and a note on these."""
    parts = found.pixels[training], found.pixels[kept]
    if found.labels is None:
        return Finite(*parts), ()
    try:
        data = LabelledSet(*parts, found.labels[training], found.labels[kept])
    except ValueError as error:
        return Finite(*parts), (f"without labels: {error}",)
    shown = [f"{at} {name}" for at, name in enumerate(found.classes[:10])]
    return data, (f"{len(found.classes)} classes: {', '.join(shown)}{' ...' if len(found.classes) > 10 else ''}",)


@hookimpl
def ganbench_datasets():
    yield Dataset("images", images)
