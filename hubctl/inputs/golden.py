"""Golden rows in the folder of the inputs: read, checked against what is declared of the model's output, and recorded.

A predictor gets them when the version that it should serve has been recorded. Text in, text out for recording;
``edit.write_text`` alone touches the disk.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hubctl.errors import InputError
from hubctl.inputs import explain, hubfile, splice
from hubctl.inputs.document import Document, Trail, parse
from hubctl.model import base, spelling
from hubctl.model.fleet import HubInputs
from hubctl.model.golden import Answers, Golden, GoldenFile, digest_of
from hubctl.model.outputs import Reading
from hubctl.model.values import HubValues, ModelProfile
from hubctl.settings import Settings

FOLDER = "golden"
SUFFIXES = (".yaml", ".json")

_HEAD = """\
# yaml-language-server: $schema=../schemas/golden.schema.json
# Rows that hubctl sends to {model} with every poll, and how each version answers them.
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The golden rows of one model.

    Attributes:
        name: of the file, in the folder of the inputs.
        known: how each recorded version answers.
    """

    name: str
    rows: tuple[tuple[float, ...], ...]
    known: Mapping[str, Answers]
    tolerance: float

    def of(self, version: str) -> Golden | None:
        """The rows for a predictor that should serve a version; None when that is not recorded."""
        if version not in self.known:
            return None
        return Golden(self.rows, version, self.known, self.tolerance, digest_of(self.rows))


def file_of(settings: Settings, profile: ModelProfile, model: str) -> str:
    """Name of the file of a model's golden rows; where there is none, of the one that recording makes.

    Raises:
        InputError: there are two, or the name leads out of the folder of the inputs.
    """
    if profile.golden.file is not None:
        name = base.fill(profile.golden.file, model=model)
        if not (settings.directory / name).resolve().is_relative_to(settings.directory.resolve()):
            hint = "keep it beside values-hub.yaml"
            raise InputError(f"found {name!r}, expected a file below the folder of the inputs", where=name, hint=hint)
        return name
    names = [f"{FOLDER}/{model}{suffix}" for suffix in SUFFIXES]
    found = [name for name in names if (settings.directory / name).is_file()]
    if len(found) > 1:
        raise InputError(f"found {' and '.join(found)}, expected one file", where=found[1], hint="delete one of them")
    return found[0] if found else names[0]


def read_all(
    settings: Settings, values: HubValues, problems: list[InputError], warnings: list[str]
) -> dict[str, Recorded]:
    """The golden rows of every registered model that has any; problems and warnings are added to the lists."""
    registered = [model.name for model in values.kserve.registry]
    found = {}
    for model in registered:
        try:
            if one := read_one(settings, values.profile(model), model):
                found[model] = one
                warnings += _doubts(one, values.profile(model))
        except InputError as error:
            problems.append(error)
    folder = settings.directory / FOLDER
    stray = {path.stem: path.name for path in folder.glob("*") if path.suffix in SUFFIXES} if folder.is_dir() else {}
    asked = {one.name for one in found.values()}
    for model, name in sorted(stray.items()):
        if model not in registered and f"{FOLDER}/{name}" not in asked:
            nearest = spelling.nearest(model, registered)
            warnings.append(f"{FOLDER}/{name}: no model {model!r} is registered; {nearest}".rstrip("; "))
    return found


def read_one(settings: Settings, profile: ModelProfile, model: str) -> Recorded | None:
    """The golden rows of one model, or None.

    Raises:
        InputError: the file is wrong, or one that the values name is not there.
    """
    name = file_of(settings, profile, model)
    if not (settings.directory / name).is_file():
        if profile.golden.file is None:
            return None
        where = f"values-hub.yaml hubctl.models.{model}.golden.file"
        hint = f"make it with `hubctl models register {model} --golden ROWS.csv`, or take the key out"
        raise InputError(f"there is no file {name}", where=where, hint=hint)
    return checked(parse(hubfile.read_file(settings.directory / name, name), name), profile)


def checked(document: Document, profile: Reading) -> Recorded:
    """The golden rows of a file.

    Raises:
        InputError: they are not what is declared of the model's output; all such places are in ``also``.
    """
    file = explain.check(GoldenFile, document)
    problems = []
    for place, row in enumerate(file.rows):
        if len(row) != len(file.rows[0]):
            wrong = f"found {len(row)} numbers, expected {len(file.rows[0])} as in the first row"
            problems.append(InputError(wrong, where=document.where(("rows", place))))
    known = {}
    for version, answers in file.expected.items():
        trail: Trail = ("expected", version)
        if len(answers) != len(file.rows):
            wrong = f"found {len(answers)} answers, expected {len(file.rows)}, one a row"
            hint = f"record {version} again"
            problems.append(InputError(wrong, where=document.where(trail), hint=hint))
        made = []
        for place, answer in enumerate(answers):
            try:
                made.append(as_declared(answer, profile))
            except ValueError as error:
                problems.append(InputError(str(error), where=document.where((*trail, place))))
        known[version] = tuple(made)
    if problems:
        first, *rest = problems
        raise InputError(first.message, where=first.where, hint=first.hint, also=rest)
    return Recorded(document.name, file.rows, known, profile.golden.tolerance)


def as_declared(answer: Any, profile: Reading) -> Any:
    """One recorded answer as polls compare it.

    Raises:
        ValueError: the model is not declared to answer so.
    """
    shown = explain.shown(answer)
    if profile.output == "labels":
        if not isinstance(answer, tuple) and answer in profile.labels.sides.get(type(answer), {}):
            return answer
        raise ValueError(f"found {shown}, expected a label of {profile.labels.told}")
    if profile.output == "classes" and profile.classes:
        if answer in profile.classes.names:
            return answer
        raise ValueError(f"found {shown}, expected a class of {', '.join(profile.classes.names)}")
    try:
        row = tuple(map(float, answer)) if isinstance(answer, tuple) else (float(answer),)
    except ValueError:
        row = ()
    width = 1 if profile.output == "scores" else profile.forecast.width
    if isinstance(answer, bool) or not row or width not in (None, len(row)):
        expected = "a score" if profile.output == "scores" else f"a row of {width or ''} numbers".replace("  ", " ")
        raise ValueError(f"found {shown}, expected {expected}")
    return row


def _doubts(one: Recorded, profile: Reading) -> list[str]:
    """Warnings about rows that show little: a broken model often answers every row alike."""
    if not profile.votes or len(one.rows) < 2:  # noqa: PLR2004 - one row is alike by itself
        return [] if not profile.votes else [f"{one.name} holds one row; a broken model may answer it well"]
    alike = [version for version, answers in one.known.items() if len(set(answers)) == 1]
    return [f"{one.name}: {version} answers every row alike; add rows that it answers otherwise" for version in alike]


def with_golden(inputs: HubInputs, recorded: Mapping[str, Recorded]) -> HubInputs:
    """The inputs with the golden rows of every predictor whose version is recorded."""
    if not recorded:
        return inputs
    made: dict[tuple[str, str], Golden | None] = {}
    unrecorded: dict[str, Counter[str]] = defaultdict(Counter)
    clusters = []
    for cluster in inputs.clusters:
        models = []
        for model in cluster.models:
            one = recorded.get(model.name)
            key = model.name, model.version
            if one and key not in made:
                made[key] = one.of(model.version)
            if one and made[key] is None:
                unrecorded[model.name][model.version] += 1
            models.append(replace(model, golden=made[key]) if one and made[key] else model)
        clusters.append(replace(cluster, models=tuple(models)))
    warnings = [
        f"{recorded[model].name} has no answers of {version}, the version of {count} spoke{'' if count == 1 else 's'}; "
        f"record them with `hubctl models set-version {model} {version} --golden-from CLUSTER`"
        for model, versions in sorted(unrecorded.items())
        for version, count in sorted(versions.items())
    ]
    return replace(inputs, clusters=tuple(clusters), warnings=(*inputs.warnings, *warnings))


def new_text(name: str, model: str, rows: Sequence[Sequence[float]]) -> str:
    """A new file of golden rows, in the format that its name says."""
    if name.endswith(".json"):
        return json.dumps({"rows": rows, "expected": {}}, indent=2) + "\n"
    lines = [_HEAD.format(model=model) + "rows:", *(f"  - {splice.flow(_plain(row))}" for row in rows), "expected: {}"]
    return "\n".join(lines) + "\n"


def set_expected(text: str, version: str, answers: Answers, *, name: str) -> str:
    """A file of golden rows that says how a version answers them; comments stay.

    Raises:
        InputError: the file is wrong, or the edit has to be made by hand.
    """
    wanted = [_plain(answer) for answer in answers]
    if name.endswith(".json"):
        data = json.loads(text)
        data.setdefault("expected", {})[version] = wanted
        return json.dumps(data, indent=2) + "\n"
    document = parse(text, name)
    if version in (document.data.get("expected") or {}):
        if document.data["expected"][version] == wanted:
            return text
        text = splice.remove(text, name, ("expected", version))
    return splice.put(text, name, ("expected", version), wanted)


def _plain(answer: Any) -> Any:
    if isinstance(answer, Iterable) and not isinstance(answer, str):
        return [_plain(one) for one in answer]
    # Answers say 1.0 where a label is declared as 1.
    return int(answer) if isinstance(answer, float) and answer.is_integer() and abs(answer) < 1e15 else answer  # noqa: PLR2004
