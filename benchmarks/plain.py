"""The floor of ``render.py``: a plain Jinja2 script without any check, for the same inputs, templates and bytes.

What one would write for one fleet in an afternoon: the C YAML loader, dictionaries, templates compiled once, files
written in place. It knows no overrides, no schema and no line numbers, and imports nothing of hubctl.
"""

import json
import sys
from pathlib import Path
from typing import Any

import jinja2
import yaml

Data = dict[str, Any]
TEMPLATES = Path(__file__).parents[1] / "hubctl" / "templates"
DELIVERY = {"generator": "git", "model": "push", "strategy": {"type": "AllAtOnce"}, "applicationsSync": "sync"}
PLAIN = ("delivery.yaml", "kustomization.yaml")


def load(path: Path) -> Data:
    found: Data = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return found


class Quoting(yaml.CSafeDumper):
    """Quotes what begins like a number, as hubctl does."""


def text_of(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if value[:1] in "0123456789.+-" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Quoting.add_representer(str, text_of)


def block(value: object, indent: int = 0) -> str:
    text = yaml.dump(value, Dumper=Quoting, default_flow_style=False, width=1000).rstrip("\n")
    return text.replace("\n", "\n" + " " * indent)


def environment() -> jinja2.Environment:
    made = jinja2.Environment(  # noqa: S701 - YAML, not HTML
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(quote=lambda value: json.dumps(str(value), ensure_ascii=False), yaml=block)
    return made


def model(values: Data, spoke: Data, entry: Data) -> Data:
    """What the templates see of one model."""
    name, storage = entry["name"], spoke["storage"]
    profile: Data = values["hubctl"]["models"].get(name, {})
    patch: Data = spoke.get("overrides", {}).get("models", {}).get(name, {})
    resources = {
        kind: profile.get("resources", {}).get(kind, {}) | patch.get("resources", {}).get(kind, {})
        for kind in ("limits", "requests")
    }
    if spoke["topology"] == "sno":
        small = {"cpu": "250m", "memory": "512Mi"}
        said = resources["limits"].keys() | resources["requests"].keys()
        resources["requests"] |= {key: amount for key, amount in small.items() if key not in said}
    path = f"{name}/{entry['version']}"
    s3 = storage["type"] == "s3"
    return {
        "name": name,
        "version": entry["version"],
        "namespace": spoke["namespace"],
        "service": values["coordinationEngine"]["kserve"]["services"][name.replace("-", "_")],
        "format": "sklearn",
        "container": None,
        "protocol": "v1",
        "port": 8080,
        "readinessPath": f"/v1/models/{name}",
        "canaryTrafficPercent": None,
        "ownStorage": False,
        "modelDir": None,
        "expose": None,
        "runtime": None,
        "pinnedBy": "",
        "minReplicas": patch.get("minReplicas", 1),
        "maxReplicas": patch.get("maxReplicas", 1),
        "resources": {kind: amounts for kind, amounts in resources.items() if amounts},
        "storageUri": f"s3://{storage['bucket']}/{storage['prefix']}/{path}"
        if s3
        else f"pvc://{storage['claim']}/{path}",
    }


def spoke_context(values: Data, file: Path) -> Data:
    """What the ``spoke/`` templates see."""
    document = load(file)
    spoke = document["spec"]
    spoke.setdefault("namespace", values["coordinationEngine"]["kserve"]["namespace"])
    stored = spoke["storage"]
    mode = "ReadWriteMany" if spoke["topology"] == "ha" else "ReadWriteOnce"
    defaults = {"claim": "model-storage-pvc", "accessMode": mode, "storageClass": None, "externalSecret": None}
    stored = spoke["storage"] = {**defaults, **stored}
    models = [model(values, spoke, entry) for entry in sorted(spoke["models"], key=lambda entry: str(entry["name"]))]
    env = {"ENABLE_KSERVE_INTEGRATION": "true", "KSERVE_NAMESPACE": spoke["namespace"]}
    env |= {f"KSERVE_{one['name'].upper().replace('-', '_')}_SERVICE": one["service"] for one in models}
    name = document["metadata"]["name"]
    about = {
        "name": name,
        "destination": name,
        "namespaces": [spoke["namespace"]],
        "deploymentMode": "RawDeployment",
        "raw": True,
        "step": None,
        "access": {"token": None, "feedback": None},
        "quarantined": False,
        "source": f"clusters/{file.name}",
    }
    monitoring = {"podMonitor": False, "prometheusRule": False}
    surroundings = {"networkPolicy": None, "monitoring": monitoring, "engine": {"env": env}}
    return {"spoke": {**spoke, **about}, "storage": stored, "models": models, "runtimes": [], **surroundings}


def hub_context(values: Data, spokes: list[Data]) -> Data:
    """What the ``hub/`` templates see."""
    remote = values["hubctl"]["gitops"]["remote"]
    gitops = {"repoURL": remote, "branch": "main", "path": "rendered", "project": "hubctl-fleet"}
    return {
        "gitops": {**gitops, "argocdNamespace": "openshift-gitops"},
        "spokes": [context["spoke"] for context in spokes],
        "delivery": {**DELIVERY, "requeueAfter": None, "placement": None},
        "clusterProxy": None,
        "kinds": [],
        "platforms": sorted({context["spoke"]["platform"] for context in spokes}),
        "source": "values-hub.yaml",
    }


def write(made: jinja2.Environment, prefix: str, context: Data, target: Path) -> None:
    """Render and write one folder."""
    target.mkdir(parents=True)
    written = []
    for name in made.list_templates():
        if not name.startswith(prefix) or name.endswith("/kustomization.yaml.j2"):
            continue
        file = name.removeprefix(prefix).removesuffix(".j2")
        stem, each, kind = file.removesuffix(".yaml").partition(".each-")
        for item in context[f"{kind}s"] if each else [None]:
            seen = {**context, "template": f"templates/{name}", kind or "none": item}
            output = f"{stem}-{item['name'] if isinstance(item, dict) else item}.yaml" if each else file
            if (text := made.get_template(name).render(seen)).strip():
                (target / output).write_text(text)
                written.append(output)
    resources = sorted(file for file in written if file not in PLAIN)
    last = made.get_template(f"{prefix}kustomization.yaml.j2").render({**context, "resources": resources})
    (target / "kustomization.yaml").write_text(last)


def main() -> None:
    """Render the fleet in the first argument's folder to the second's."""
    fleet, target = map(Path, sys.argv[1:])
    values, made = load(fleet / "values-hub.yaml"), environment()
    spokes = [spoke_context(values, file) for file in sorted((fleet / "clusters").iterdir())]
    for context in spokes:
        write(made, "spoke/", context, target / "spokes" / context["spoke"]["name"])
    write(made, "hub/", hub_context(values, spokes), target / "hub")


if __name__ == "__main__":
    main()
