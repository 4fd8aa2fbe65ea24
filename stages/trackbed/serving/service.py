"""What the routes of the server share."""

from __future__ import annotations

from dataclasses import dataclass

from trackbed.serving.model_slot import ModelSlot
from trackbed.serving.monitoring import Monitoring
from trackbed.serving.request_body import BodyReader
from trackbed.serving.work_queue import WorkQueue


@dataclass
class Service:
    """One running server."""

    name: str  # of the model in the Open Inference Protocol
    version: str  # of the program
    slot: ModelSlot
    queue: WorkQueue
    bodies: BodyReader
    monitoring: Monitoring
    most_files: int  # of one request
    token: str | None = None
    is_stopping: bool = False
