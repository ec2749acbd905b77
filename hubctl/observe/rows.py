"""Rows: the window of each predictor, from wherever its model's features come; or why there is none.

Apart from polling, because what a source gives may be for one predictor or for all of them at once: ``begin`` is called
once a round, ``of`` once a poll.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Window
from hubctl.observe import sources
from hubctl.observe.features import NoWindow
from hubctl.observe.metrics import Metrics
from hubctl.observe.reason import Reason
from hubctl.observe.tokens import Tokens


class Reader(Protocol):
    """Where rows come from."""

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Begin a round over these predictors."""

    async def of(self, service: InferenceService) -> Window | NoWindow:
        """The rows to send to a predictor now, or why there are none."""

    async def close(self) -> None:
        """Close every connection."""


class Rows:
    """The windows of one round after the other."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], tokens: Tokens | None = None, *, hidden: str | None = None
    ) -> None:
        """Take where files lie and commands run; nothing is read yet.

        Args:
            folder: the folder of the inputs.
            environ: holds the tokens of metrics; commands get the rest of it.
            tokens: those that predictors get, for spokes whose own Prometheus takes the same.
            hidden: a variable that is none of a command's business: it holds the predictors' token.
        """
        self._folder = folder
        self._environ = environ
        self._files = sources.Files(folder)
        self._hidden = {hidden}
        self._metrics = Metrics(folder, environ, tokens)

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Begin a round over these predictors: fetch what comes for all of them at once.

        Args:
            services: that the round is about.
            now: the hub's time, UTC; windows end before it.
        """
        self._hidden |= {one.metrics.source.token_env for one in services if one.metrics}
        await self._metrics.begin(services, now)

    async def of(self, service: InferenceService) -> Window | NoWindow:
        """The rows to send to a predictor now, or why there are none."""
        if service.route is None:
            return NoWindow(Reason.NO_ROUTE, "nothing is sent without a route")
        try:
            if service.profile.features is not None and service.profile.features.prometheus is not None:
                return await self._metrics.of(service)
            return await sources.read_window(service, self._folder, self._told(service), self._files)
        except NoWindow as error:
            return error

    async def close(self) -> None:
        """Close every connection."""
        await self._metrics.close()

    def _told(self, service: InferenceService) -> Mapping[str, str]:
        """The variables that a model's command gets; a file needs none."""
        if service.profile.features is None or not service.profile.features.command:
            return {}
        return {name: value for name, value in self._environ.items() if name not in self._hidden}


def of_sources(observe: Observe, folder: Path, environ: Mapping[str, str], tokens: Tokens | None = None) -> Rows:
    """Rows from the sources that the models name."""
    # A feature command is somebody else's program: the predictors' token is none of its business.
    return Rows(folder, environ, tokens, hidden=observe.token_env)
