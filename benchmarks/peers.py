"""Other tools on the same fleet: their inputs, how they are run, and the proof that they make the same objects.

Each gets what ``plain.py`` hands to the templates, ready made, so that none of them spends time on the rules of our
inputs. Kapitan and make-argocd-fly get the same templates with the delimiters and filters that they have; a template
for each model becomes a loop. kustomize has no templates: each spoke is an overlay of patches over bare objects.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import plain
import yaml

HOME = Path(__file__).parents[1] / ".cache" / "peers"
TAGS = re.compile(r"(\[\[.*?\]\]|\[%.*?%\]|\[#.*?#\])", re.DOTALL)
BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
DELIMITERS = {"[[": "{{", "]]": "}}", "[%": "{%", "%]": "%}", "[#": "{#", "#]": "#}"}
PARAMETERS = "delivery parameters"
"""How a ``delivery.yaml``, which is no Kubernetes object, is called here."""

NO_OBJECTS = frozenset({"Kustomization", PARAMETERS})
"""What is not for a cluster: make-argocd-fly drops the one and would build the other, kustomize takes neither."""

KAPITAN_FILTERS = """\
import json

import yaml as pyyaml


def quote(value):
    return json.dumps(str(value), ensure_ascii=False)


def yaml(value, indent=0):
    text = pyyaml.dump(value, Dumper=pyyaml.CSafeDumper, default_flow_style=False, width=1000).rstrip("\\n")
    return text.replace("\\n", "\\n" + " " * indent)
"""
OVERLAYS = """\
mkdir built
for overlay in overlays/*; do "$0" build "$overlay" -o "built/${overlay##*/}.yaml" || exit 1; done
"""

Key = tuple[str, str, str]
Objects = dict[str, dict[Key, plain.Data]]
"""Documents by kind, namespace and name, by spoke; the hub's are those of the spoke ``hub``."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What peers are prepared from.

    Attributes:
        contexts: what templates see, by spoke and of ``hub``.
        objects: what has to come out.
    """

    contexts: Mapping[str, plain.Data]
    objects: Objects


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool to compare with.

    Attributes:
        program: below ``HOME``.
        arguments: it is run with, in the folder of its inputs.
        output: where it writes, below that folder.
        prepare: writes its inputs.
        omits: kinds that it cannot make.
    """

    name: str
    program: str
    arguments: tuple[str, ...]
    output: str
    prepare: Callable[[Path, Fleet], None]
    omits: frozenset[str] = frozenset()

    def command(self) -> tuple[str, ...]:
        """What to run in the folder of its inputs."""
        program = str(HOME / self.program)
        return ("sh", "-c", OVERLAYS, program) if self.name == "kustomize" else (program, *self.arguments)

    def version(self) -> str:
        """The name and the version."""
        word = "version" if self.name == "kustomize" else "--version"
        said = subprocess.run([str(HOME / self.program), word], check=True, capture_output=True, text=True).stdout
        return f"{self.name} {said.split()[-1].lstrip('v')}"


def read_fleet(fleet: Path, rendered: Mapping[str, bytes]) -> Fleet:
    """The contexts of a fleet, and the objects of its rendered files."""
    values = plain.load(fleet / "values-hub.yaml")
    spokes = [plain.spoke_context(values, file) for file in sorted((fleet / "clusters").iterdir())]
    contexts = {context["spoke"]["name"]: context for context in spokes}
    contexts["hub"] = plain.hub_context(values, spokes)
    for context in contexts.values():
        context["resources"] = []
    for path in sorted(rendered):
        *_, owner, file = path.split("/")
        if file not in plain.PLAIN:
            contexts[owner]["resources"].append(file)
    return Fleet(contexts, objects_in({path.removeprefix("spokes/"): data for path, data in rendered.items()}))


def objects_in(files: Mapping[str, bytes], only: frozenset[str] | None = None) -> Objects:
    """Documents of files whose first folder (or own name) is a spoke's; ``only`` of some spokes."""
    found: Objects = {}
    for path, data in files.items():
        spoke = path.partition("/")[0].removesuffix(".yaml")
        here = found.setdefault(spoke, {})
        if only is not None and spoke not in only:
            continue
        for document in yaml.load_all(data, Loader=yaml.CSafeLoader):
            if document is not None:
                key = key_of(document)
                assert key not in here, f"{path}: {key} is there twice"
                here[key] = document
    return found


def key_of(document: plain.Data) -> Key:
    """Kind, namespace and name."""
    about = document.get("metadata", {})
    return document.get("kind", PARAMETERS), about.get("namespace", ""), about.get("name", "")


def check(peer: Peer, made: Path, fleet: Fleet, only: frozenset[str] | None) -> int:
    """Prove that a peer made the same objects; how many were compared."""
    files = {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    found = objects_in(files, only)
    assert found.keys() == fleet.objects.keys(), f"{peer.name}: spokes differ: {found.keys() ^ fleet.objects.keys()}"
    compared = 0
    for spoke, objects in fleet.objects.items():
        if only is not None and spoke not in only:
            continue
        wanted = {key: document for key, document in objects.items() if key[0] not in peer.omits}
        assert found[spoke].keys() == wanted.keys(), f"{peer.name}, {spoke}: {found[spoke].keys() ^ wanted.keys()}"
        for key, document in wanted.items():
            assert found[spoke][key] == document, f"{peer.name}, {spoke}: {key} differs: {found[spoke][key]}"
        compared += len(wanted)
    return compared


def converted(name: str) -> str:
    """A template with Jinja2's usual delimiters; one for each model or platform as a loop."""
    pieces = TAGS.split((plain.TEMPLATES / name).read_text())
    for index, piece in enumerate(pieces):
        if index % 2:
            pieces[index] = DELIMITERS[piece[:2]] + piece[2:-2] + DELIMITERS[piece[-2:]]
        else:
            pieces[index] = BRACES.sub(lambda found: f'{{{{ "{found.group()}" }}}}', piece)
    text = "".join(pieces)
    _, each, kind = name.removesuffix(".yaml.j2").partition(".each-")
    if each:
        text = f"{{% for {kind} in {kind}s %}}\n---\n{text}{{% endfor %}}\n"
    return f'{{% set template = "templates/{name}" %}}\n{text}'


def write_templates(folder: Path, room: str, change: Callable[[str], str], suffix: str) -> None:
    """The converted templates of ``spoke`` or ``hub``."""
    folder.mkdir(parents=True)
    for file in sorted((plain.TEMPLATES / room).iterdir()):
        name = file.name.removesuffix(".j2") + suffix
        (folder / name).write_text(change(converted(f"{room}/{file.name}")))


def dump(value: object, file: Path) -> None:
    """Write block YAML, as people do."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=False))


def for_kapitan(folder: Path, fleet: Fleet) -> None:
    """A target a spoke; what templates see are its variables."""
    for room in ("spoke", "hub"):
        write_templates(folder / "templates" / room, room, str, "")
    (folder / "provenance.j2").write_text(converted("provenance.j2"))
    (folder / "lib").mkdir()
    (folder / "lib" / "jinja2_filters.py").write_text(KAPITAN_FILTERS)
    for name, context in fleet.contexts.items():
        room = "hub" if name == "hub" else "spoke"
        files = {"input_type": "jinja2", "input_paths": [f"templates/{room}"], "output_path": "."}
        parameters = {"target_name": name, "kapitan": {"vars": {"target": name, **context}, "compile": [files]}}
        dump({"parameters": parameters}, folder / "inventory" / "targets" / f"{name}.yml")
    (folder / "inventory" / "classes").mkdir()


def for_make_argocd_fly(folder: Path, fleet: Fleet) -> None:
    """An environment a spoke, with one application in it. It takes no filters of ours; Ansible's say the same."""

    def with_its_filters(text: str) -> str:
        text = re.sub(r"\|yaml\((\d+)\)", r"|to_nice_yaml(indent=2)|trim|indent(\1)", text)
        return text.replace("|quote", "|string|to_json")

    for room in ("spoke", "hub"):
        source = folder / "source" / room
        write_templates(source, room, with_its_filters, ".j2")
        (source / "kustomization.yaml.j2").unlink()
        (source / "provenance.j2").write_text(with_its_filters(converted("provenance.j2")))
    environments = {
        name: {"apps": {"hub" if name == "hub" else "spoke": {}}, "vars": context}
        for name, context in fleet.contexts.items()
    }
    dump({"envs": environments}, folder / "config" / "fleet.yml")


def for_kustomize(folder: Path, fleet: Fleet) -> None:
    """A base an object, with nothing but its name, and an overlay a spoke, with the rest as patches."""
    for spoke, objects in fleet.objects.items():
        bases, patches = [], []
        for (kind, namespace, name), document in objects.items():
            if kind in NO_OBJECTS:
                continue
            base = folder / "bases" / f"{kind}-{name}".lower()
            bases.append(f"../../bases/{base.name}")
            patches.append(document)
            if not base.exists():
                bare = {"apiVersion": document["apiVersion"], "kind": kind}
                dump({**bare, "metadata": {"name": name, "namespace": namespace}}, base / "object.yaml")
                dump({"resources": ["object.yaml"]}, base / "kustomization.yaml")
        overlay = folder / "overlays" / spoke
        dump({"resources": bases, "patches": [{"path": "patches.yaml"}]}, overlay / "kustomization.yaml")
        texts = (yaml.dump(patch, Dumper=yaml.CSafeDumper) for patch in patches)
        (overlay / "patches.yaml").write_text("---\n".join(texts))


PEERS = (
    Peer("kapitan", "kapitan/bin/kapitan", ("compile",), "compiled", for_kapitan),
    Peer(
        "make-argocd-fly",
        "make-argocd-fly/bin/make-argocd-fly",
        ("--skip-latest-version-check",),
        "output",
        for_make_argocd_fly,
        NO_OBJECTS,
    ),
    Peer("kustomize", "kustomize", (), "built", for_kustomize, NO_OBJECTS),
)


def installed() -> bool:
    """Whether ``make bench-peers`` has installed all of them."""
    return all(shutil.which(HOME / peer.program) for peer in PEERS)
