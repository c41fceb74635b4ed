"""The plan: one cell for each dataset and row, and which of them train together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import batches, plan

HEAD = "suite: demo\nseeds: 4\nreferences: [kde]\ndatasets: {r: ring, q: {name: ring, modes: 3}}\n"
TWO = HEAD + "variants: {a: {loss: minimax}, b: {loss: wgan-gp}}\n"
SMALL = Path(__file__).with_name("small_plugins.py")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The small plugins and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "folder", lambda name: tmp_path_factory.mktemp("none"))
        return Registry.load(extra=SMALL)


def together(text, registry):
    """The rows on r of each batch of trained cells."""
    cells = [cell for cell in plan(parse(text, registry)) if cell.dataset == "r" and cell.trained]
    return [[cell.variant for cell in batch] for batch in batches(cells)]


def test_without_a_sweep_each_variant_is_a_cell_and_its_own_family(registry):
    cells = plan(parse(TWO, registry))
    assert [(cell.dataset, cell.variant) for cell in cells] == [
        (dataset, row) for dataset in ("r", "q") for row in ("oracle", "kde", "a", "b")
    ]
    assert all(cell.family == cell.variant and cell.setting == () for cell in cells)
    assert batches(cells) == tuple((cell,) for cell in cells)


def test_each_setting_is_a_cell_with_its_recipe(registry):
    suite = parse(TWO + "sweep: {optimizer.lr: [1e-4, 1e-3]}\n", registry)
    cells = [cell for cell in plan(suite) if cell.dataset == "q"]
    assert [(cell.variant, cell.family) for cell in cells] == [
        ("oracle", "oracle"),
        ("kde", "kde"),
        ("a lr=0.0001", "a"),
        ("a lr=0.001", "a"),
        ("b lr=0.0001", "b"),
        ("b lr=0.001", "b"),
    ]
    for cell in cells[2:]:
        assert cell.trained == suite.variants[cell.family].at(cell.setting)
        assert dict(cell.setting)["optimizer.lr"] == cell.trained.generator_optimizer.parameters["lr"]


def test_what_defines_a_cells_numbers_is_in_its_id(registry):
    texts = [TWO, TWO + "precision: tf32\n", TWO.replace("seeds: 4", "seeds: 5"), TWO + "budget: {steps: 7}\n"]
    texts += [TWO + "sweep: {optimizer.lr: [1e-4, 1e-3]}\n", TWO + "sweep: {optimizer.lr: [2e-4, 2e-3]}\n"]
    cells = [cell for text in texts for cell in plan(parse(text, registry)) if cell.trained]
    assert len({cell.id for cell in cells}) == len(cells) == 4 * 4 + 2 * 8
    assert {cell.precision for cell in plan(parse(texts[1], registry))} == {"tf32"}
    assert plan(parse(TWO, registry)) == plan(parse(parse(TWO, registry).to_yaml(), registry))


def test_settings_that_differ_in_floats_alone_are_one_batch(registry):
    text = HEAD + "variants: {b: {loss: wgan-gp}}\nsweep: "
    swept = "{loss.penalty: [1, 2], optimizer.lr: [1e-4, 1], optimizer.generator.betas: [[0, 0.5], [0.5, 0.9]]}\n"
    (batch,) = together(text + swept, registry)
    assert len(batch) == 8


def test_what_can_change_the_program_is_a_batch_of_its_own(registry):
    """Whole numbers and all of an architecture, also where these settings stand between the others."""
    for key, (one, two) in {"update.discriminator_steps": (1, 2), "architecture.width": (8, 9)}.items():
        name = key.partition(".")[2]
        wanted = [[f"a lr={lr} {name}={value}" for lr in (3, 4)] for value in (one, two)]
        found = together(
            HEAD + f"variants: {{a: {{loss: minimax}}}}\nsweep: {{optimizer.lr: [3, 4], {key}: [{one}, {two}]}}\n",
            registry,
        )
        assert found == wanted


def test_families_and_datasets_do_not_mix_even_where_their_recipes_are_equal(registry):
    text = HEAD + "variants: {a: {loss: minimax}, c: {loss: minimax}}\nsweep: {optimizer.lr: [1, 2]}\n"
    cells = plan(parse(text, registry))
    found = batches(cells)
    assert [len(batch) for batch in found] == [1, 1, 2, 2] * 2
    assert all(len({(cell.dataset, cell.family) for cell in batch}) == 1 for batch in found)


def test_every_cell_is_in_one_batch_whatever_part_of_a_plan_is_left(registry):
    text = TWO + "sweep: {update.discriminator_steps: [1, 2], optimizer.lr: [1, 2, 3]}\n"
    cells = plan(parse(text, registry))
    for left in (cells, cells[::2], cells[5:], ()):
        found = batches(left)
        assert sorted(cell.id for batch in found for cell in batch) == sorted(cell.id for cell in left)
        firsts = [left.index(batch[0]) for batch in found]
        assert firsts == sorted(firsts)
        assert all(list(batch) == sorted(batch, key=left.index) for batch in found)


def test_truth_values_text_and_integers_are_not_floats(registry):
    """A loss whose penalty is an integer in one setting is another program: nothing is guessed about it."""
    cells = [cell for cell in plan(parse(TWO + "sweep: {optimizer.lr: [1, 2]}\n", registry)) if cell.family == "b"]
    for values in ((1, 2), (True, False), ("a", "b"), (None, 1.0), ((1.0,), (1.0, 2.0)), ([1], [2])):
        changed = [
            dataclasses.replace(
                cell,
                trained=dataclasses.replace(
                    cell.trained, loss=dataclasses.replace(cell.trained.loss, parameters={"penalty": value})
                ),
            )
            for cell, value in zip(cells[:2], values, strict=True)
        ]
        assert [len(batch) for batch in batches(changed)] == [1, 1], values


def test_settings_that_networks_are_built_with_train_apart():
    """What a loss makes its networks of is of the whole batch; what its functions take is each seed's own."""
    text = "suite: s\nseeds: 2\ndatasets: {r: ring}\nreferences: []\nvariants:\n"
    text += "  a: {loss: deligan, sweep: {loss.sigma: [0.01, 0.02]}}\n"
    text += "  b: {loss: deligan, sweep: {loss.weight: [0.1, 1.0]}}\n"
    assert [len(batch) for batch in batches(plan(parse(text, Registry.load()))[1:])] == [1, 1, 2]
