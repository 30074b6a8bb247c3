"""Figures in Prometheus' text format, by its own client library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from outputs.storage import write_atomically
from planner.operations.errors import MetricsMissingError
from planner.operations.metrics.families import (
    LATENESS,
    LATENESS_HELP,
    METRICS,
    Metric,
)
from planner.operations.metrics.readings import LATENESS_S, Readings

if TYPE_CHECKING:
    from typing import BinaryIO

    from prometheus_client.metrics_core import Metric as Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text_of(readings: Readings) -> bytes:
    """All figures of one reading.

    Raises
    ------
    MetricsMissingError
        If the client library is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.registry import Collector
    except ImportError as error:
        raise MetricsMissingError(
            "figures for Prometheus need its client library: "
            "pip install carbon-batch-planner[metrics]"
        ) from error

    class Once(Collector):
        """Hands out one reading."""

        def collect(self) -> Iterator[Family]:
            return _families(readings)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    return generate_latest(registry)


def write_textfile(path: Path, text: bytes) -> None:
    """Put the figures where the node exporter collects them; old or new, never half.

    Raises
    ------
    PlanStorageError
        If the folder is missing or the disk refuses.
    """

    def write(file: BinaryIO) -> None:
        file.write(text)

    write_atomically(path, write)


def _families(readings: Readings) -> Iterator[Family]:
    for metric in METRICS:
        yield _family(metric, readings)
    yield _histogram(readings)


def _family(metric: Metric, readings: Readings) -> Family:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in metric.samples(readings):
        family.add_metric(labels, value)
    return family


def _histogram(readings: Readings) -> Family:
    from prometheus_client.core import HistogramMetricFamily

    lateness = readings.lateness
    buckets = [
        (str(float(bound)), float(number))
        for bound, number in zip(LATENESS_S, lateness.at_most, strict=True)
    ]
    return HistogramMetricFamily(
        LATENESS,
        LATENESS_HELP,
        buckets=[*buckets, ("+Inf", float(lateness.sent))],
        sum_value=lateness.total_s,
    )
