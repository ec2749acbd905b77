"""Rows: the window of each predictor, from wherever its model's features come; or why there is none.

Apart from polling, because what a source gives may be for one predictor or for all of them at once: ``begin`` is called
once a round, ``of`` once a poll.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from hubctl.model.predictor import InferenceService, Window
from hubctl.observe import sources
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason


class Rows:
    """The windows of one round after the other."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """Take where files lie and commands run, and what commands get; nothing is read yet."""
        self._folder = folder
        self._environ = environ
        self._files = sources.Files(folder)

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Begin a round over these predictors: fetch what comes for all of them at once."""

    async def of(self, service: InferenceService) -> Window | NoWindow:
        """The rows to send to a predictor now, or why there are none."""
        if service.route is None:
            return NoWindow(Reason.NO_ROUTE, "nothing is sent without a route")
        try:
            return await sources.read_window(service, self._folder, self._environ, self._files)
        except NoWindow as error:
            return error
