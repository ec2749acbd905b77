"""``render --explain``: asks which inputs the values of a rendered file came from, and tells it people.

Apart from ``explain``, which shows the evidence behind an incident, and ``why``, which shows a spoke's commits.
"""

import asyncio
import difflib
import os
from pathlib import Path
from typing import Any

import click

from hubctl import discovery, outlet
from hubctl.cli import fieldpath, origins, output, rendering
from hubctl.errors import HubctlError, InputError
from hubctl.explanation import file as explanation
from hubctl.explanation.evidence import Proof
from hubctl.explanation.fleet import Fleet
from hubctl.explanation.found import Explanation, Leaf
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.publish import review
from hubctl.render import marks
from hubctl.render.leaves import GONE
from hubctl.render.templates import load_templates
from hubctl.settings import Settings

_WIDEST = 60
_NARROW = 30
_COLUMNS = 100
_INDENT = 12
_SOME = 3
"""Spokes with which a hub's file takes long enough to show progress."""


def explain(settings: Settings, asked: str, shape: str, *, offline: bool = False) -> None:
    """Print where the values of a file came from.

    Args:
        settings: of this run.
        asked: ``PATH``, ``PATH:FIELD``, ``PATH:KIND/NAME`` or ``PATH:KIND/NAME:FIELD``; the path may begin with the
            rendered folder.
        shape: ``table``, ``json`` or ``yaml``.
        offline: ask nobody; what the hub said last counts.

    Raises:
        InputError: there is no such file, object or field.
        TemplateError: a template failed.
    """
    path, _, rest = asked.partition(":")
    path = path.removeprefix("./")
    fleet = open_fleet(settings, _spoke_in(path), offline=offline)
    if rendering.switched_off(fleet.sources.values):
        return
    path = path.removeprefix(f"{fleet.sources.values.hubctl.gitops.path}/")
    spokes = len(fleet.names) if path.startswith(f"{tree.HUB}/") else 0
    with output.progress("Explaining, spoke by spoke", spokes if spokes > _SOME else 0) as advance:
        found = explanation.explain_file(fleet, path, fieldpath.read(rest), advance)
    if found is None:
        raise _no_file(open_fleet(settings, offline=True), path)
    own = own_templates(settings)
    if shape == "table":
        _print(path, found, own)
    else:
        output.show(shape, origins.data(path, found, own), (), ())


def open_fleet(settings: Settings, only: str | None = None, *, offline: bool = False) -> Fleet:
    """Everything that is read to explain a file; of the cluster files, one if only that one is needed.

    Raises:
        InputError: a file is wrong.
        TemplateError: a template cannot be parsed.
    """
    sources = discovery.read_sources(settings, os.environ, only=only, offline=offline)
    published, warnings = asyncio.run(outlet.overrides_in_force(settings, sources))
    for warning in warnings:
        output.say(f"warning: {warning}", colour="yellow")
    folder = settings.directory / "templates"
    gitops = sources.values.hubctl.gitops
    return Fleet(
        settings=settings,
        sources=sources,
        overrides=load.parse_overrides(published.overrides, gitops.overrides),
        texts=published.overrides,
        templates=load_templates(folder),
        marked=load_templates(folder, marks.Marking),
        branch=gitops.branch if published.commit else "",
    )


def _spoke_in(path: str) -> str | None:
    """The spoke whose file it is, wherever the rendered folder is."""
    parts = path.split("/")
    return parts[-2] if tree.SPOKES in parts[-3:-2] else None


def own_templates(settings: Settings) -> frozenset[str]:
    """Names of the templates in the folder of the inputs."""
    folder = settings.directory / "templates"
    return frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*.j2"))


def complete_paths(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Rendered files for shell completion: folders first, then the files of the one that is begun."""
    folder = Path(ctx.find_root().params.get("directory") or ".")
    names = sorted(path.stem for path in folder.glob("clusters/*.y*ml"))
    known = [f"{tree.HUB}/", *(f"{tree.SPOKES}/{name}/" for name in names)]
    begun, _, _ = incomplete.rpartition("/")
    try:
        if f"{begun}/" in known:
            only = explanation.spoke_of(f"{begun}/") or None
            fleet = open_fleet(Settings(folder.absolute(), folder.absolute() / ".hubctl"), only, offline=True)
            known = list(explanation.paths(fleet, begun))
    except HubctlError:
        return []  # the shell has no place for an error; the command itself will tell it
    return [path for path in known if path.startswith(incomplete)]


def _no_file(fleet: Fleet, path: str) -> InputError:
    folder, _, _ = path.rpartition("/")
    name = explanation.spoke_of(path)
    if name and name not in fleet.names:
        near = difflib.get_close_matches(name, fleet.names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return InputError(f"there is no spoke {name!r}", hint=f"{hint}`hubctl clusters list` shows them all")
    known = explanation.paths(fleet, folder) if name or folder == tree.HUB else ()
    near = difflib.get_close_matches(path, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it makes {', '.join(known)}" if known else ""
    return InputError(
        f"no template makes {path!r}",
        hint=hint or "write it as spokes/NAME/FILE or hub/FILE; `hubctl render` prints the path of every file",
    )


def _print(path: str, found: Explanation, own: frozenset[str]) -> None:
    template = f"{_template(found.template, own)}{'' if found.template in own else ' (packaged)'}"
    if not found.documents:
        click.echo(f"{path} is not made: {template} renders to nothing")
        for proof in found.because[0]:
            click.echo(f"  would be made with another {review.plain(proof.place.text)} ({_was(proof)})")
        return
    click.echo(f"{path} is made by {template}")
    shown = -1
    for leaf in found.leaves:
        if leaf.trail[0] != shown:
            shown = leaf.trail[0]
            _heading(shown, found)
        _value(leaf, found, own)


def _heading(index: int, found: Explanation) -> None:
    title = fieldpath.titled(found.documents[index])
    click.echo()
    if title:
        click.secho(review.plain(title), bold=True)
    for proof in found.because[index]:
        _line("there by", f"{proof.place.text} ({_was(proof)})")


def _value(leaf: Leaf, found: Explanation, own: frozenset[str]) -> None:
    hidden = origins.secret(leaf, found)
    value = origins.HIDDEN if hidden else review.value_text(leaf.value, _WIDEST)
    name = review.plain(fieldpath.written(leaf.trail, list(found.documents)))
    click.echo(f"{click.style(name, fg='cyan')}: {click.style(value, bold=True)}")
    where = f"{_template(leaf.line.template, own)}:{leaf.line.number}" if leaf.line else _template(found.template, own)
    literal = any(proof.place.kind == "template" for proof in leaf.origins)
    _line("template", f"{where}{', literal' if literal else ''}")
    for proof in leaf.origins:
        if proof.place.kind != "template":
            _line(proof.role, proof.place.text if hidden else _told(proof, leaf.value))
    if leaf.more:
        _line("value", f"{output.count(leaf.more, 'more spoke')} with the same")


def _told(proof: Proof, value: Any) -> str:
    """The place, and what is known of the input where the value does not show it."""
    if proof.place.kind in ("hubctl", "fleet", "name") or (
        proof.role == "value" and proof.was == value and not proof.together
    ):
        return proof.place.text
    if proof.role == "value":
        return f"{proof.place.text} ({_short(proof.was)}{_others(proof)})"
    end = "it is gone" if proof.then is GONE else f"it is {_short(proof.then)}"
    end += _others(proof)
    return f"{proof.place.text} ({_was(proof)}; {_with(proof.tried)} {end})"


def _with(tried: Any) -> str:
    return "without it" if tried in (None, "(removed)") else f"with {_short(tried)}"


def _others(proof: Proof) -> str:
    return ", with the others that say the same" if proof.together else ""


def _was(proof: Proof) -> str:
    return "not set" if proof.was is None else "set" if proof.was == "(section)" else f"is {_short(proof.was)}"


def _short(value: Any) -> str:
    return review.value_text(value, _NARROW)


def _template(name: str, own: frozenset[str]) -> str:
    return f"templates/{name}" if name in own else name


def _line(word: str, text: str) -> None:
    """One line; what is in brackets at its end goes below when it would be too long."""
    text = review.plain(text)
    begin, bracket, end = text.rpartition(" (")
    if len(text) > _COLUMNS - _INDENT and bracket:
        text = f"{begin}\n{'':{_INDENT}}({end}"
    click.echo(f"  {click.style(f'{word:<9}', dim=True)} {text}")
