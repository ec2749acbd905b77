"""Which cluster files say which version of a model: who serves it, what was good before, and the edited texts."""

import os
from collections.abc import Mapping

from hubctl import discovery, hub
from hubctl.cli import rendering
from hubctl.errors import InputError
from hubctl.inputs import edit, load
from hubctl.model.fleet import HubInputs
from hubctl.settings import Settings
from hubctl.store.schema import open_store


def last_good(settings: Settings, names: tuple[str, ...], model: str) -> dict[str, str]:
    """The latest version known good on each spoke, other than the one that its file names.

    The file counts, not an override that is in force: the file is what is to say the good version.

    Raises:
        InputError: a spoke has never had another good one.
    """
    sources = discovery.read_sources(settings, os.environ)
    files = load.reload(sources, {})
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        good = store.journal.good_versions()
    found = {}
    for name in names:
        cluster = files.cluster(name)
        served = cluster.model(model) if cluster else None
        now = served.version if served else ""
        earlier = [version for version in good.get((name, model), ()) if version != now]
        if not earlier:
            raise InputError(
                f"no earlier version of {model} is known good on {name}", hint="say which one with --to VERSION"
            )
        found[name] = earlier[0]
    return found


def serving(inputs: HubInputs, model: str, spokes: tuple[str, ...]) -> tuple[str, ...]:
    """The spokes that serve a model, or the named ones of them.

    Raises:
        InputError: there is no such spoke, or it does not serve the model.
    """
    every = tuple(cluster.name for cluster in inputs.clusters if cluster.model(model))
    for name in spokes:
        if inputs.cluster(name) is None:
            raise rendering.unknown_spoke(name, inputs)
        if name not in every:
            raise InputError(f"{name} does not serve {model!r}", hint="add it to spec.models of its cluster file")
    if not every:
        names = ", ".join(entry.name for entry in inputs.values.kserve.registry) or "none"
        raise InputError(f"no spoke serves a model {model!r}; expected one of {names}", hint="run `hubctl models list`")
    return spokes or every


def rewritten(
    settings: Settings, inputs: HubInputs, wanted: Mapping[str, str | None], model: str
) -> dict[str, tuple[str, str]]:
    """The cluster files' texts before and after the versions are in them."""
    files = {}
    for name, version in wanted.items():
        cluster = inputs.cluster(name)
        if cluster is not None and version is not None:
            if not (settings.directory / cluster.source).is_file():
                raise without_file(name, model)
            before = (settings.directory / cluster.source).read_bytes().decode()
            files[cluster.source] = (before, edit.set_version(before, model, version, name=cluster.source))
    return files


def without_file(spoke: str, model: str) -> InputError:
    """A spoke that the hub names has no file to edit."""
    return InputError(
        f"{spoke} has no cluster file that could say a version of {model}",
        hint=f"change it under serve of the group that names it, or write clusters/{spoke}.yaml with spec.models",
    )
