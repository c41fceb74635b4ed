"""The share of samples that are of the class asked for, and of the classes: by hand, and of data with known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.data.known_modes import Labelled
from ganbench.data.labelled_set import LabelledSet
from ganbench.data.mixture import Mixture
from ganbench.metrics.labels import count_labels, recognised

RING = Mixture([[0, 0], [10, 0], [0, 10]], 1.0)


def test_accuracy_is_of_all_samples_and_coverage_of_the_classes_asked_for():
    found, asked = np.array([0, 0, 1, 1, -1, 3, 0, 0]), np.array([0, 0, 1, 1, 1, 1, 3, 3])
    count = count_labels(found, asked)
    assert (count.accuracy, count.coverage) == (0.5, pytest.approx(2 / 3))
    assert count_labels(found, asked, share=0.6).coverage == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="as many"):
        count_labels(found, asked[:2])


def test_the_data_itself_are_of_the_mode_asked_for_and_exchanged_labels_are_not():
    samples, label = RING.labelled(20_000, torch.Generator().manual_seed(0))
    found = recognised(samples, RING)
    assert count_labels(found, label.numpy()).accuracy == pytest.approx(0.98889, abs=0.002)
    assert count_labels(found, (label.numpy() + 1) % 3) == count_labels(np.full(20_000, -1), label.numpy())


def test_what_is_far_from_every_mode_or_not_finite_is_of_no_class():
    assert recognised(torch.tensor([[5.0, 5.0], [torch.nan, 0.0], [10.0, 0.5]]), RING).tolist() == [-1, -1, 1]


def test_a_labelled_set_is_told_by_the_nearest_row_or_by_its_known_modes_and_other_data_by_nothing():
    samples, label = RING.labelled(300, torch.Generator().manual_seed(0))
    data = LabelledSet(samples[:200], samples[200:], label[:200], label[200:])
    assert data.classifier_accuracy == 1
    far = torch.tensor([[9.0, 40.0], [torch.inf, 0.0]])
    assert recognised(far, data).tolist() == [2, -1]
    data.known_modes = Labelled(samples[:200].numpy(), label[:200].numpy(), "abc")
    assert recognised(far, data).tolist() == [-1, -1]
    assert recognised(far, object()) is None
