"""``ganbench sample``."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, choose_device, data_option, plugins_option, tell
from ganbench.cli.run_argument import name_newest, newest_run
from ganbench.core.disk import os_error_line
from ganbench.core.streams import aside


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("variant")
@click.option(
    "--dataset", metavar="NAME", help="The data set that it was trained on; needed where the run has several."
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Which seed's generator; by default the first.")
@click.option(
    "-n", "count", type=click.IntRange(1), metavar="N", help="How many samples; by default as many as the run drew."
)
@click.option(
    "--label",
    type=click.IntRange(0),
    metavar="K",
    help="Of a conditional generator, samples of class K alone; by default of all, as often as the data have them.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.npz",
    help="Where to write them, for numpy and for `ganbench score`.",
)
@click.option(
    "--image",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.png",
    help="Where to write a grid of the first 64, which must be images with pixels on [-1, 1].",
)
@click.option("--device", default="auto", show_default=True, metavar="D", help="auto, cpu, cuda or cuda:N.")
@plugins_option
@data_option
def sample(
    folder: Path,
    variant: str,
    dataset: str | None,
    seed: int | None,
    count: int | None,
    label: int | None,
    out: Path | None,
    image: Path | None,
    device: str,
    plugins: Path | None,
) -> None:
    """Draw samples from a generator that `ganbench run --save-generators` has kept.

    RUN is a run's folder, or a suite's folder of runs: its newest. VARIANT is a row of its table. The folder may be a
    copy on another machine; plugins of your own must be there. As many samples as the run drew are the run's own.
    """
    if out is None and image is None:
        raise UserMistakeError("say where to write: -o samples.npz, or --image samples.png for a grid of images")
    for given, option, ending in ((out, "-o", ".npz"), (image, "--image", ".png")):
        if given is not None and given.suffix.lower() != ending:
            raise UserMistakeError(f"{option} {given}: must end in {ending}")
    import torch

    from ganbench.core.errors import PluginError
    from ganbench.plugin.registry import Registry
    from ganbench.record.generators import choose
    from ganbench.record.generators import place as place_of
    from ganbench.record.sample_file import MOST_NUMBERS
    from ganbench.record.samples import keep
    from ganbench.report.image_grid import check_images, save_grid
    from ganbench.score.generator import rebuild
    from ganbench.suite.document import parse

    try:
        if not folder.is_dir() and Path(variant).is_dir():
            raise ValueError(f"{folder}: is no run, and {variant} is a folder: the run comes first, then the variant")
        run = newest_run(folder)
        path = choose(run.path, variant, dataset, seed)
        with aside():
            built = rebuild(path, Registry.load([Path("plugins")], plugins))
        about = built.about
        if path.parts[-3:] != place_of(Path(), about.dataset, about.variant, about.seed).parts:
            raise ValueError(
                f"{path}: holds seed {about.seed} of {about.variant} on {about.dataset}: it was copied over, or renamed"
            )
        if image is not None:
            check_images(about.shape)
        data = parse(about.suite).value["datasets"].get(about.dataset)
        n = about.samples if count is None else count
        if n * math.prod(about.shape) > MOST_NUMBERS:
            raise ValueError(f"-n {n}: at most {MOST_NUMBERS // math.prod(about.shape):,} samples are drawn at once")
        classes = len(about.class_shares)
        if label is not None and label >= classes:
            has = f"has the classes 0 to {classes - 1}" if classes else "takes no labels"
            raise ValueError(f"--label {label}: {path} {has}")
        place = choose_device(device)
        labels = None if not classes else built.labels(n, place) if label is None else torch.full((n,), label)
        with aside():
            samples = built.samples(n, place, labels).cpu()
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    except PluginError as error:
        tell(f"{path}: {error}")
        sys.exit(3)
    name_newest(run, folder)
    for note in built.notes:
        tell(note)
    if place.type != about.device:
        tell(f"the run drew its samples on {about.device}, and {place.type} draws others: they are not the run's own")
    if lost := int((~samples.flatten(1).isfinite().all(1)).sum()):
        tell(f"{lost:,} of {n:,} samples are not finite")
    whose = (
        f"{'' if label is None else f'class {label} of '}seed {about.seed} of {about.variant} on {about.dataset}, "
        f"{about.weights} weights after {about.step:,} steps"
    )
    try:
        if out is not None:
            keep(out, samples, about.seed, about.step, labels, dataset=data)
            click.echo(f"{out}: {n:,} samples of {whose}")
        if image is not None:
            shown = save_grid(image, samples.numpy())
            click.echo(f"{image}: {shown} images of {whose}")
    except OSError as error:
        raise UserMistakeError(os_error_line(error, out or image)) from None
