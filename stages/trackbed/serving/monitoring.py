"""What the server counts, in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from trackbed.serving.served_model import ServedModel

MEDIA_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Monitoring:
    """The measures of one server. Labels have few values: none comes from a client's text."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        """waiting: how many pictures wait or are worked on now."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        here = {"registry": self.registry}
        self.requests = Counter(
            "trackbed_requests", "Requests by route and status.", ["route", "status"], **here
        )
        self.seconds = Histogram(
            "trackbed_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            **here,
        )
        self.pictures = Counter("trackbed_answers", "Answers by class.", ["class_name"], **here)
        self.refused = Counter(
            "trackbed_refused_answers", "Answers below the refusal threshold.", **here
        )
        self.rejects = Counter(
            "trackbed_rejected_pictures", "Pictures not decoded, by reason.", ["reason"], **here
        )
        self.confidence = Histogram(
            "trackbed_confidence", "Confidence of the answers.", buckets=SHARES, **here
        )
        self.novelty = Histogram(
            "trackbed_novelty", "Novelty of the answers, 0 to 1.", buckets=SHARES, **here
        )
        self.reloads = Counter(
            "trackbed_model_reloads", "Attempts to load a model again.", ["result"], **here
        )
        self.model = Info("trackbed_model", "The model that answers.", **here)
        self.loaded = Gauge(
            "trackbed_model_loaded_timestamp_seconds", "When the model was loaded.", **here
        )
        Gauge(
            "trackbed_pictures_waiting", "Pictures that wait or are worked on.", **here
        ).set_function(waiting)

    def set_model(self, model: ServedModel) -> None:
        """Name the model that answers from now on."""
        self.model.info({"version": model.version, **model.facts})
        self.loaded.set_to_current_time()

    def text(self) -> bytes:
        """All measures as Prometheus reads them."""
        return generate_latest(self.registry)
