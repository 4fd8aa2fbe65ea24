"""The model that answers, and how another one takes its place."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from trackbed.pipeline.errors import UserError
from trackbed.serving.monitoring import Monitoring
from trackbed.serving.served_model import ServedModel

logger = logging.getLogger("trackbed.serve")


class ModelSlot:
    """Holds one model of a folder. A request takes `current` once and keeps it to its end.

    Another model takes its place only after it was loaded, checked and tried, in one step.
    """

    def __init__(
        self, load: Callable[[], ServedModel], folder: Path, monitoring: Monitoring
    ) -> None:
        """Load the first model. Raises UserError."""
        self._load, self.folder, self.monitoring = load, folder, monitoring
        self._lock = asyncio.Lock()
        self._attempts = 0
        self._failure: UserError | None = None
        self._seen = self._signature()
        self.current = load()
        monitoring.set_model(self.current)

    async def reload(self) -> ServedModel:
        """Load the model of the folder again, and have it answer from now on.

        Calls at the same time share an attempt that began after them. Raises UserError; the old
        model goes on then.
        """
        before = self._attempts
        async with self._lock:
            if self._attempts == before:
                await self._attempt()
        if self._failure is not None:
            raise self._failure
        return self.current

    async def _attempt(self) -> None:
        self._attempts += 1
        self._seen, self._failure = self._signature(), None
        try:
            model = await asyncio.to_thread(self._load)
        except UserError as error:
            self._failure = error
            self.monitoring.reloads.labels("failed").inc()
            logger.error(
                "the model was not loaded: %s Version %s goes on.", error, self.current.version
            )
            return
        self.current = model
        self.monitoring.reloads.labels("loaded").inc()
        self.monitoring.set_model(model)
        logger.info("version %s of the model answers now", model.version)

    async def watch(self, seconds: float) -> None:
        """Reload for ever whenever the files of the folder have changed and stay as they are."""
        last = self._seen
        while True:
            await asyncio.sleep(seconds)
            found = self._signature()
            if found != self._seen and found == last:
                try:
                    await self.reload()
                except UserError:
                    self._seen = found  # tried; the next change may mend it
            last = found

    def _signature(self) -> list[tuple[str, int, int, int]]:
        """What changes when a file of the folder is replaced."""
        try:
            return sorted(
                (entry.name, status.st_ino, status.st_size, status.st_mtime_ns)
                for entry in os.scandir(self.folder)
                for status in (entry.stat(),)
            )
        except OSError:  # the folder itself may be missing for a moment
            return []
