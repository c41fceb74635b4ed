"""Classes covered and KL over them, by a classifier: the modes of Stacked MNIST (Metz et al. 2017, arXiv:1611.02163).

For data that classifies (stacked-digits, stacked-mnist: 1,000 classes). A class counts as covered at one sample, as in
the literature, and every finite sample is counted, however unlike any digit: noise falls into some class, too. The KL
is taken to the data's own shares of the classes; PacGAN (Lin et al. 2018, arXiv:1712.04086) takes it to equal ones.

Direction: classes_covered higher, class_kl lower, each up to its floor.
Unit: classes; nats.
Source: Metz et al. 2017, arXiv:1611.02163; Srivastava et al. 2017, arXiv:1705.07761.
Floor: what the data itself is expected to read, classes_floor and class_kl_floor: 999.95 and 0.051 of 1,000 at 10,000.
Cost: 1 s at 10,000 stacks, one thread, and the classifier once: 0.1 s for digits, 40 s for MNIST; at the end only.
"""

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.classes import count_classes


def measure(samples, dataset):
    if not hasattr(dataset, "classify"):
        return {}
    found = count_classes(dataset.classify(samples), dataset.class_shares)
    return {
        "classes_covered": found.covered,
        "classes_floor": found.expected_covered,
        "classes_total": found.total,
        "class_kl": found.kl,
        "class_kl_floor": found.expected_kl,
        "classifier_accuracy": dataset.classifier_accuracy,
    }


COLUMNS = (
    Column("classes_covered", "classes with at least one sample, by the data's own classifier", better="higher"),
    Column(
        "classes_floor",
        "what classes_covered is expected to be for the data itself",
        summary="same",
        role="floor",
        of="classes_covered",
    ),
    Column("classes_total", "classes of the data", summary="same", role="total", of="classes_covered"),
    Column("class_kl", "KL(generator || data) over the classes, all finite samples", "nats", "lower"),
    Column(
        "class_kl_floor",
        "what class_kl is expected to be for the data itself",
        "nats",
        summary="same",
        role="floor",
        of="class_kl",
    ),
    Column("classifier_accuracy", "share of held-out single images that the classifier gets right", summary="same"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("classes", measure, COLUMNS, at="end")
