"""Delivery: the demo's stand-in for Argo CD, KServe and the kubelet on the spokes. It is not one of them.

It does the one thing that hubctl relies on: what a commit says under ``rendered/spokes/<cluster>/`` becomes running
model servers. It reads a spoke's InferenceServices when the spoke has a ``delivery.yaml``, takes name and
``storageUri`` from them, and starts, restarts or stops servers on this machine. It applies no other manifest, knows no
namespace, no replicas and no health check, and one folder of models stands for every volume and bucket.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import yaml

from hubctl.demo import remote, servers
from hubctl.errors import InputError
from hubctl.model.tree import SPOKES

MARKER = "delivery.yaml"
"""Without this file in its folder, no ApplicationSet reaches a spoke: what runs there goes on running."""

Key = tuple[str, str]
"""A cluster's name and a model's."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What a commit wants on the spokes.

    Attributes:
        reached: spokes that are delivered to.
        models: ``<model>/<version>`` in the folder of models, for every model on a reached spoke.
    """

    reached: frozenset[str]
    models: Mapping[Key, str]


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did.

    Attributes:
        commit: the commit that the spokes follow now; empty when the branch has none.
        changes: a short sentence for each server started, restarted or stopped, sorted.
    """

    commit: str
    changes: tuple[str, ...] = ()


def ports(keys: Iterable[Key]) -> dict[Key, int]:
    """A free port for each model of each spoke, allotted before the first server starts so that routes can name them.

    Raises:
        RemoteFailed: there are not enough.
    """
    wanted = sorted(set(keys))
    return dict(zip(wanted, servers.free_ports(len(wanted)), strict=True))


def read_desired(files: Mapping[str, bytes]) -> Desired:
    """What the files below ``rendered/spokes`` want.

    Args:
        files: ``<cluster>/<file>`` to bytes.

    Raises:
        InputError: an InferenceService whose ``storageUri`` does not end with a model and a version.
    """
    reached = frozenset(PurePosixPath(path).parts[0] for path in files if PurePosixPath(path).parts[1:] == (MARKER,))
    models = {}
    for path, content in files.items():
        cluster = PurePosixPath(path).parts[0]
        if cluster in reached and path.endswith(".yaml"):
            for document in yaml.safe_load_all(content):
                if isinstance(document, dict) and document.get("kind") == "InferenceService":
                    models[cluster, str(document["metadata"]["name"])] = _stored_at(document, path)
    return Desired(reached=reached, models=models)


class Delivery:
    """Makes model servers match the tip of a branch; a context that stops all of them at its end."""

    def __init__(
        self,
        repository: Path,
        *,
        models: Path,
        logs: Path,
        ports: Mapping[Key, int],
        branch: str = "main",
        rendered: str = "rendered",
    ) -> None:
        """A delivery that runs nothing yet.

        Args:
            repository: the bare remote that hubctl publishes to.
            models: holds ``<model>/<version>/model.joblib``.
            logs: folder for one log file per server.
            ports: where each model of each spoke listens, for good.
            branch: as in ``hubctl.gitops.branch``.
            rendered: as ``hubctl.gitops.path``.
        """
        self._repository = repository
        self._models = models
        self._logs = logs
        self._ports = ports
        self._branch = branch
        self._rendered = rendered
        self._running: dict[Key, servers.ModelServer] = {}

    @property
    def servers(self) -> Mapping[Key, servers.ModelServer]:
        """The servers as the last sync left them."""
        return dict(self._running)

    async def sync(self) -> Synced:
        """Reads the branch's tip and makes the servers match it; also restarts a server that died.

        A version that is not in the folder of models is not delivered: its predecessor goes on serving, as under a
        rolling update whose new pod never becomes ready.

        Raises:
            RemoteFailed: git refused, or a server did not start.
            InputError: a manifest cannot be understood.
        """
        commit = await remote.tip(self._repository, self._branch)
        if not commit:
            return Synced(commit="")
        files = await remote.read_folder(self._repository, commit, f"{self._rendered}/{SPOKES}")
        desired = read_desired(files)
        removed = [key for key in self._running if key[0] in desired.reached and key not in desired.models]
        missing = {key: place for key, place in desired.models.items() if not (self._models / place).is_dir()}
        pending = {
            key: place for key, place in desired.models.items() if key not in missing and not self._serves(key, place)
        }
        changes = [f"{_name(key)}: {place} is not among the models, not delivered" for key, place in missing.items()]
        changes += [f"{_name(key)}: stopped" for key in removed]
        changes += [
            f"{_name(key)}: {'restarted' if key in self._running else 'started'} with {place.rpartition('/')[2]}"
            for key, place in pending.items()
        ]
        await self._stop(key for key in (*removed, *pending) if key in self._running)
        await self._start(pending)
        return Synced(commit=commit, changes=tuple(sorted(changes)))

    async def close(self) -> None:
        """Stops every server."""
        await self._stop(tuple(self._running))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _serves(self, key: Key, place: str) -> bool:
        """Whether a living server already serves that version."""
        server = self._running.get(key)
        return server is not None and server.running and server.folder == self._models / place

    async def _stop(self, keys: Iterable[Key]) -> None:
        """Stops and forgets servers."""
        await servers.stop_all([self._running.pop(key) for key in tuple(keys)])

    async def _start(self, places: Mapping[Key, str]) -> None:
        """Starts a server for every key, each on its own port."""
        if unknown := sorted(_name(key) for key in places if key not in self._ports):
            raise InputError(
                f"no port is allotted for {', '.join(unknown)}", hint="allot ports for every model before publishing"
            )
        orders = [
            servers.Order(
                model=key[1], folder=self._models / place, log=self._logs / f"{_name(key)}.log", port=self._ports[key]
            )
            for key, place in places.items()
        ]
        started = await servers.start_all(orders)
        self._running.update(zip(places, started, strict=True))


def _stored_at(document: Mapping[str, Any], path: str) -> str:
    """``<model>/<version>`` of an InferenceService: the end of its ``storageUri``.

    The URI is ``pvc://<claim>/<model>/<version>`` or ``s3://<bucket>/[<prefix>/]<model>/<version>``.
    """
    uri = str(document["spec"]["predictor"]["model"].get("storageUri", ""))
    scheme, _, rest = uri.partition("://")
    parts = rest.strip("/").split("/")
    if scheme not in {"pvc", "s3"} or len(parts) < 3 or ".." in parts:  # noqa: PLR2004 - the shape in the docstring
        raise InputError(
            f"the storageUri is {uri!r}, expected pvc://CLAIM/MODEL/VERSION or s3://BUCKET/MODEL/VERSION",
            where=path,
            hint="keep hubctl.models.<model>.path ending with {model}/{version} in the demo",
        )
    return "/".join(parts[-2:])


def _name(key: Key) -> str:
    """``<cluster>-<model>``."""
    return "-".join(key)
