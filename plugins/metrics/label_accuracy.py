"""Whether a conditional generator makes what it is asked for (GAN-test of Shmelkov et al. 2018, arXiv:1807.09499).

The share of the samples that are of their label's class: in a mixture of high quality in the mode asked for, within 3
std; for points with a label column near rows of that label; for images by a classifier that was fitted to the data that
is trained on (digits: a support vector machine; other sets: the class of the nearest image), whose own accuracy on
held-out data stands beside. Coverage is by class: at least ``share`` of its samples are of it. A class that no sample
was asked for is not counted. Empty for generators without labels, and for references but the oracle.

Direction: higher is better, up to the oracle's.
Unit: share of all samples; share of the classes.
Source: Shmelkov et al. 2018, arXiv:1807.09499, section 3; the count by class has no paper.
Floor: what the oracle reads: .9889 in a mixture in the plane, 1 for images, to which the classifier was fitted.
Cost: about that of the metric modes; of images one prediction a sample, minutes at 10,000 for MNIST; at the end only.
"""

from typing import Annotated

from pydantic import Field

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.labels import count_labels, recognised


def measure(samples, label, dataset, *, share: Annotated[float, Field(gt=0, le=1)] = 0.5):
    found = None if label is None else recognised(samples, dataset)
    if found is None:
        return {}
    count = count_labels(found, label.cpu().numpy(), share)
    by_classifier = hasattr(dataset, "classes_like") and not hasattr(dataset, "known_modes")
    return {
        "label_accuracy": count.accuracy,
        "label_coverage": count.coverage,
        "label_classifier_accuracy": dataset.classifier_accuracy if by_classifier else None,
    }


COLUMNS = (
    Column("label_accuracy", "share of the samples that are of the class asked for", better="higher"),
    Column("label_coverage", "share of the classes of whose samples at least half are of it", better="higher"),
    Column(
        "label_classifier_accuracy",
        "share of held-out images that the classifier of label_accuracy gets right",
        summary="same",
    ),
)


@hookimpl
def ganbench_metrics():
    yield Metric("label-accuracy", measure, COLUMNS, at="end")
