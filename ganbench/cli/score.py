"""``ganbench score``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import (
    UserMistakeError,
    choose_device,
    console_for,
    data_option,
    load_suite,
    plugins_option,
    tell,
)
from ganbench.core.disk import make_folder, os_error_line
from ganbench.core.streams import aside

if TYPE_CHECKING:
    from ganbench.score.save import Score


@click.command()
@click.argument("file", metavar="SAMPLES", type=click.Path(path_type=Path))
@click.option("--dataset", metavar="NAME", help="The data set that they are meant to be from; a suite's only one.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of it; may be repeated.")
@click.option("--suite", metavar="SUITE", help="Take data set and metrics as this suite defines them.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    help="The seed whose held-out data is used: by default the file's own, or 0.",
)
@click.option("--device", default="auto", show_default=True, metavar="D", help="auto, cpu, cuda or cuda:N.")
@plugins_option
@data_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A .csv or .json file to write, in place of one in results/scores/.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def score(
    file: Path,
    dataset: str | None,
    parameters: tuple[str, ...],
    suite: str | None,
    metrics: tuple[str, ...],
    seed: int | None,
    device: str,
    plugins: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Score SAMPLES, a file from any framework, as a run scores the samples of its generators.

    SAMPLES is a file of an array (.npy, .npz, .pt, .safetensors, .mat) or a table (.csv, .txt, .parquet), a sample in
    each row, float32. The metrics are the suite's or, without --suite, all shipped metrics that need samples alone and
    nothing to download.
    """
    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise UserMistakeError(f"--out {out}: must end in .csv or .json")
    if suite is not None and parameters:
        raise UserMistakeError("--param: a suite sets the parameters of its data sets; drop one of the two")
    if dataset is None and suite is None:
        raise UserMistakeError(
            "say what they are meant to be from: --dataset NAME (ganbench list dataset), or --suite SUITE too"
        )
    from ganbench.plugin.registry import Registry
    from ganbench.score.target import of_names, of_suite

    try:
        if suite is None:
            assert dataset is not None
            registry = Registry.load([Path("plugins")], plugins)
            with aside():
                target = of_names(dataset, parameters, metrics, registry)
        else:
            resolved, registry = load_suite(suite, None, plugins)
            target = of_suite(resolved, dataset, metrics, registry)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    from ganbench.core.errors import PluginError
    from ganbench.record.samples import read
    from ganbench.report.score import show_score
    from ganbench.report.sign_of_life import SignOfLife
    from ganbench.score.save import as_object
    from ganbench.score.score import score as score_samples

    try:
        if out is not None:  # before the work: this place was asked for
            if out.exists() and file.exists() and out.samefile(file):
                raise UserMistakeError(f"{out}: holds the samples; write their score elsewhere")
            make_folder(out.parent)
        with SignOfLife(console_for(stderr=True), f"score {file}") as sign:
            sign("the file is read")
            samples = read(file)
            with aside():
                result = score_samples(samples, target, seed=seed, device=choose_device(device), say=sign)
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    except PluginError as error:
        tell(str(error))
        sys.exit(3)
    except OSError as error:
        raise UserMistakeError(os_error_line(error, out)) from None
    path, problem = _saved(result, out)
    if as_json:
        click.echo(json.dumps(as_object(result) | {"written": None if path is None else str(path)}))
    else:
        show_score(result, path, console_for())
    if problem:
        raise UserMistakeError(problem)
    sys.exit(0 if result.complete else 3)


def _saved(result: Score, out: Path | None) -> tuple[Path | None, str]:
    """Where the score is written, or None and why it is not: what has been computed is still shown."""
    from ganbench.score.save import save, usual_path

    home = Path("results/scores")
    try:
        if out is None:
            make_folder(home)
        path = out or usual_path(home, result)
        save(path, result)
    except ValueError as error:
        return None, str(error)
    except OSError as error:
        return (
            None,
            f"{os_error_line(error, out or home)}; the score is shown, and not kept: --out FILE writes it elsewhere",
        )
    return path, ""
