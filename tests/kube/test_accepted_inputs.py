"""Whatever hubctl lets through, the API server lets through: nothing wrong is found out only on a spoke."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, assume, example, given, reject, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hubctl.errors import HubctlError
from hubctl.model import base, serving, storage
from hubctl.model.quantity import canonical
from tests.effort import times
from tests.kube import fleets
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

FOUND_IS_ENOUGH = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""Without shrinking, which would ask the server for minutes."""


def accepted(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Strings that a field's JSON schema describes."""
    found = st.from_regex(schema["pattern"].replace("$", r"\Z"), alphabet=st.characters(max_codepoint=126))
    return found.filter(lambda text: len(text) <= schema.get("maxLength", 200))


def schema_of(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
NAMES = accepted(schema_of(base.DnsLabel))
QUANTITIES = accepted(schema_of(base.Quantity) | {"maxLength": 8})
"""An exponent beyond 32 bits keeps the server busy until its request ends, after a minute."""

SIZES = accepted(storage.PvcStorage.model_json_schema()["properties"]["size"])
AMOUNTS = st.dictionaries(st.sampled_from(["cpu", "memory", "nvidia.com/gpu"]), QUANTITIES)
REPLICAS = st.tuples(st.integers(0, serving.INT32), st.integers(1, serving.INT32)).map(sorted)
PROFILES = st.fixed_dictionaries(
    {
        "format": st.sampled_from(sorted(serving.FORMATS)),
        "resources": st.fixed_dictionaries({"requests": AMOUNTS, "limits": AMOUNTS}),
    },
    optional={"runtime": TEXTS, "path": TEXTS},
)
STORAGES = st.one_of(
    st.fixed_dictionaries({"type": st.just("pvc"), "claim": NAMES, "size": SIZES}, optional={"storageClass": NAMES}),
    st.fixed_dictionaries(
        {"type": st.just("s3"), "bucket": st.just("models"), "serviceAccount": NAMES, "secretName": NAMES},
        optional={"prefix": TEXTS},
    ),
)


@st.composite
def fleet_of_one(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A values file and a cluster file that may well be right."""
    model = draw(accepted(schema_of(base.ModelName)))
    fewest, most = draw(REPLICAS)
    profile = draw(PROFILES) | {"minReplicas": fewest, "maxReplicas": most}
    gitops = {"remote": draw(TEXTS), "project": draw(NAMES), "argocdNamespace": draw(NAMES)}
    hub = {
        "coordinationEngine": {"kserve": {"namespace": draw(NAMES), "models": [{"name": model}]}},
        "hubctl": {"gitops": gitops, "models": {model: profile}},
    }
    spec = {
        "platform": draw(st.sampled_from(["openshift", "kubernetes"])),
        "version": "1.33",
        "topology": draw(st.sampled_from(["ha", "sno"])),
        "storage": draw(STORAGES),
        "models": [{"name": model, "version": draw(accepted(schema_of(base.Version)))}],
    }
    metadata = {"name": draw(accepted(schema_of(base.ClusterName)))}
    return hub, {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": metadata, "spec": spec}


@given(files=fleet_of_one())
@settings(FOUND_IS_ENOUGH, max_examples=times(20, 50))
def test_server_takes_every_fleet_that_hubctl_renders(api: Api, files: tuple[dict[str, Any], dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        fleets.write_fleet(Path(folder), *files)
        try:
            fleet = fleets.rendered(Path(folder), Path(folder))
        except HubctlError:
            reject()
    assert fleets.refused(fleet.ask(api, how="apply")) == {}
    assert fleets.refused(fleet.ask_applications(api)) == {}


@given(quantity=QUANTITIES)
@settings(FOUND_IS_ENOUGH, max_examples=times(60, 200))
def test_quantity_is_one_for_kubernetes_too(api: Api, quantity: str) -> None:
    """KServe's CRD takes more than Kubernetes can read, and one object that cannot be read hides all others."""
    assert stored(api, quantity)


@given(quantity=QUANTITIES)
@settings(FOUND_IS_ENOUGH, max_examples=times(60, 200))
@example("0.5").via("the usual one")
@example("1024Mi").via("the other usual one")
def test_quantity_as_we_write_it_is_one_that_kubernetes_does_not_rewrite(api: Api, quantity: str) -> None:
    ours = canonical(quantity)
    # A LimitRange holds nothing below a thousandth; InferenceServices do.
    assume(not re.search(r"[nu]$|e-[69]$", ours))
    assert stored(api, ours) == ours
    assert canonical(stored(api, quantity)) == ours


def stored(api: Api, quantity: str) -> str:
    """A quantity as the server writes it."""
    limit = {"type": "Container", "max": {"memory": quantity}}
    typed = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a", "namespace": "default"}}
    answer = api.ask(json.dumps(typed | {"spec": {"limits": [limit]}}))
    assert answer.message == ""
    return str(answer.stored["spec"]["limits"][0]["max"]["memory"])
