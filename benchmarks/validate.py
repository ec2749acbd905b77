"""What checking every rendered object against real schemas costs, beside plain rendering and the bare validator.

The schemas are pulled from the API server of ``tests/kube`` (built once, see its README), so that they are the real
ones of KServe, Argo CD and Kubernetes. First whole processes, interleaved, as in ``render.py``; then the parts in one
process: reading and compiling, the cost of one document, and of a mistake that every spoke has. ``--schemas DIR`` takes
a cache that was pulled before.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fleet import make_fleet
from measuring import run
from render import scratch_folder

from hubctl.conform.cache import Cache
from hubctl.conform.check import Checker, Validators, compiled
from hubctl.inputs.load import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
HUBCTL = (sys.executable, "-m", "hubctl", "-C", "{fleet}")
WAYS = {
    "plain script": (sys.executable, str(Path(__file__).with_name("plain.py")), "{fleet}", "{target}"),
    "render": (*HUBCTL, "render", "--output", "{target}"),
    "validate, no schemas": (*HUBCTL, "validate"),
    "validate": (*HUBCTL, "validate", "--strict-schemas"),
}
RUNS_INSIDE = 5
Documents = list[tuple[str, Sequence[Mapping[str, Any]]]]
Key = tuple[str, str, str]


@contextlib.contextmanager
def schemas(folder: Path | None, fleet: Path, scratch: Path) -> Iterator[Path]:
    """The folder given, or one that is pulled now from a real API server."""
    if folder is not None:
        yield folder
        return
    sys.path.insert(0, str(ROOT))
    from tests.kube import api, apiserver  # noqa: PLC0415 - only here is a server needed

    done = subprocess.run([ROOT / "tests/kube/build.sh"], capture_output=True, text=True, check=True)
    programs, definitions = map(Path, done.stdout.splitlines())
    made, server = scratch / "schemas", scratch / "server"
    server.mkdir()
    with apiserver.running(programs, server) as client:
        api.Api(client).define(definitions)
        pull = [*HUBCTL[:4], str(fleet), "schemas", "pull", "--kubeconfig", str(apiserver.kubeconfig(server, client))]
        subprocess.run(pull, check=True, env={**os.environ, "HUBCTL_SCHEMAS": str(made)}, capture_output=True)
    yield made


def whole(fleet: Path, cache: Path, runs: int, scratch: Path) -> dict[str, list[float]]:
    """CPU seconds of each way, interleaved."""
    spent: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way, command in WAYS.items():
            os.environ["HUBCTL_SCHEMAS"] = str(cache if way == "validate" else scratch / "none")
            target = scratch / "rendered"
            words = [part.format(fleet=fleet, target=target) for part in command]
            spent[way].append(run(words, target.parent).cpu)
            shutil.rmtree(target, ignore_errors=True)
    return spent


def clocked(work: Callable[[], object]) -> float:
    """Median CPU seconds of a piece of work in this process."""
    spent = []
    for _ in range(RUNS_INSIDE):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def documents_of(fleet: Path) -> Documents:
    """Every file of objects with its parsed documents."""
    found: Documents = []
    inputs = load_inputs(Settings(directory=fleet, state=fleet / ".hubctl"))
    render_tree(inputs, load_templates(None), lambda path, objects: found.append((path, objects)))
    return found


def spelt_out(schema: Any, whole: Mapping[str, Any], depth: int = 0) -> Any:
    """A schema with what it refers to in its place, as a CRD publishes it."""
    if isinstance(schema, list):
        return [spelt_out(one, whole, depth) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if pointed := schema.get("$ref"):
        return spelt_out(whole["$defs"][pointed.removeprefix("#/$defs/")], whole, depth + 1)
    return {key: spelt_out(value, whole, depth) for key, value in schema.items() if key != "$defs"}


def of_kinds(found: Documents, shelf: Cache) -> None:
    """Print, for each kind, what its schema costs as it is cached and spelt out as a CRD publishes it."""
    by_kind: dict[Key, list[Mapping[str, Any]]] = {}
    for path, objects in found:
        for one in objects:
            by_kind.setdefault((path.partition("/")[0], one["apiVersion"], one["kind"]), []).append(one)
    heading = f"{'kind':24}{'kB':>8}{'ms to compile':>15}{'us an object':>14}"
    print(f"\n{heading}  | spelt out: {'kB':>6}{'ms':>8}{'us':>7}")
    for key, objects in sorted(by_kind.items()):
        text = shelf.find(*key)
        assert text, key
        large = json.dumps(spelt_out(json.loads(text), json.loads(text)))
        (size, took, each), (size_2, took_2, each_2) = (of_schema(one, objects) for one in (text, large))
        print(f"{key[2]:24}{size:8.0f}{took:15.2f}{each:14.1f}  |            {size_2:6.0f}{took_2:8.2f}{each_2:7.1f}")


def of_schema(text: str, objects: Sequence[Mapping[str, Any]]) -> tuple[float, float, float]:
    """Kilobytes of a schema, milliseconds to compile it, microseconds for an object that fits it."""
    validator = compiled(text)
    assert all(map(validator.is_valid, objects))
    many = list(objects) * max(1, 300 // len(objects))
    took = clocked(lambda: [compiled(text) for _ in range(3)]) / 3 * 1e3
    return len(text) / 1e3, took, clocked(lambda: [validator.is_valid(one) for one in many]) / len(many) * 1e6


def of_checker(found: Documents, shelf: Cache) -> None:
    """Print what the check of the whole tree costs beside the bare validators."""
    keys = [(path.partition("/")[0], one["apiVersion"], one["kind"]) for path, objects in found for one in objects]
    objects = [one for _, several in found for one in several]
    texts = {key: shelf.find(*key) or "" for key in set(keys)}
    made = {key: compiled(text) for key, text in texts.items()}
    bare = [made[key].is_valid for key in keys]
    once = clocked(lambda: [Validators(Cache(shelf.folder)).of(*key) for key in texts]) * 1e3
    floor = clocked(lambda: [valid(one) for valid, one in zip(bare, objects, strict=True)])
    validators = Validators(shelf)
    ours = clocked(lambda: checked(found, validators))
    assert (checked(found, validators).checked, checked(found, validators).problems) == (len(objects), ())
    wrong = [(path, [with_mistake(one) for one in several]) for path, several in found]
    assert checked(wrong, validators).problems
    failing = clocked(lambda: checked(wrong, validators))
    print(f"\n{len(objects)} objects of {len(texts)} kinds; reading the cache and compiling, once: {once:.1f} ms")
    for told, seconds in (("bare validators", floor), ("Checker", ours), ("all with an unknown field", failing)):
        print(f"{told:28}{seconds:7.3f} s{seconds / len(objects) * 1e6:8.1f} us an object{seconds / floor:8.2f}")


def checked(found: Documents, validators: Validators) -> Checker:
    """A checker that has seen everything."""
    checker = Checker(validators)
    for path, objects in found:
        checker(path, objects)
    return checker


def with_mistake(document: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a field that no kind has."""
    return {**document, "specs": {}}


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--schemas", type=Path, help="a cache that was pulled before, with every kind that is rendered")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as name:
        fleet = Path(name) / "fleet"
        make_fleet(fleet, options.spokes)
        with schemas(options.schemas, fleet, Path(name)) as cache:
            spent = whole(fleet, cache, options.runs, Path(name))
            print(f"{options.spokes} spokes; CPU seconds of a whole process, median of {options.runs} interleaved runs")
            used = ", ".join(f"{one} {version(one)}" for one in ("jsonschema-rs", "jinja2", "pyyaml"))
            print(f"Python {platform.python_version()}, {used}\n")
            show(spent)
            found = documents_of(fleet)
            of_kinds(found, Cache(cache))
            of_checker(found, Cache(cache))


def show(spent: Mapping[str, Sequence[float]]) -> None:
    """The table of whole processes, and what checking adds to rendering."""
    plain = statistics.median(spent["plain script"])
    print(f"{'way':34}{'CPU s':>7}  {'range':13}{'ratio':>6}")
    for way, seconds in spent.items():
        middle = statistics.median(seconds)
        print(f"{way:34}{middle:7.2f}  ({min(seconds):.2f}-{max(seconds):.2f})  {middle / plain:6.2f}")
    pairs = zip(spent["validate"], spent["validate, no schemas"], strict=True)
    added = statistics.median(one - other for one, other in pairs)
    total = statistics.median(spent["render"]) + added
    print(f"{'render and schemas, by addition':34}{total:7.2f}  {'':13}{total / plain:6.2f}")
    print(f"\nChecking adds {added:.2f} s (median of the pairs). The plain script checks nothing, not even YAML.")


if __name__ == "__main__":
    main()
