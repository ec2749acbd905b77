"""Defaults, patches and pins."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hubctl.inputs import assemble
from hubctl.inputs.settle import patched
from hubctl.model.cluster import Metadata, Overrides, Spoke, SpokeSpec
from hubctl.model.registry import KServe
from hubctl.model.remediation import Override, OverrideMetadata, OverrideSpec, PinnedModel
from hubctl.model.route import UrlRoute
from hubctl.model.served import SpokeModel
from hubctl.model.serving import Resources
from hubctl.model.values import Features, HubctlSection, HubValues, ModelPatch, ModelProfile, Observe

VERSIONS = ("v1", "v2", "v3")
MODELS = ("anomaly-detector", "disk-anomaly")
VALUES = HubValues(
    kserve=KServe.model_validate(
        {"namespace": "fleet", "models": [{"name": "anomaly-detector"}, {"name": "disk-anomaly", "namespace": "disks"}]}
    )
)


def spoke(name: str, version: str = "v3", *models: str, namespace: str | None = None) -> tuple[str, Spoke]:
    served = tuple(SpokeModel(name=model, version=version) for model in models or ("anomaly-detector",))
    spec = SpokeSpec(platform="openshift", version="4.18", models=served, namespace=namespace)
    found = Spoke(api_version="hubctl.io/v1alpha1", kind="Spoke", metadata=Metadata(name=name), spec=spec)
    return f"clusters/{name}.yaml", found


def pin(cluster: str, version: str, instead_of: str | None = None, model: str = "anomaly-detector") -> Override:
    pinned = PinnedModel(name=model, version=version, instead_of=instead_of)
    return Override(
        metadata=OverrideMetadata(name=f"to-{version}"), spec=OverrideSpec(cluster=cluster, models=(pinned,))
    )


def quarantine(cluster: str) -> Override:
    return Override(metadata=OverrideMetadata(name="apart"), spec=OverrideSpec(cluster=cluster, quarantine=True))


pins = st.builds(
    pin,
    st.sampled_from(["a", "b", "gone"]),
    st.sampled_from(VERSIONS),
    st.sampled_from([None, *VERSIONS]),
    st.sampled_from([*MODELS, "unknown"]),
)
files = st.dictionaries(st.sampled_from([f"{n}.yaml" for n in range(6)]), pins | st.builds(quarantine, st.just("a")))


@given(files, st.randoms(use_true_random=False))
def test_order_of_files_does_not_matter(overrides: dict[str, Override], chance: Random) -> None:
    spokes = [spoke("a", "v1", *MODELS), spoke("b", "v3", *MODELS)]
    shuffled = list(overrides.items())
    chance.shuffle(shuffled)
    assert assemble(VALUES, spokes, list(overrides.items())) == assemble(VALUES, spokes[::-1], shuffled)


@given(files)
def test_lapsed_pins_change_nothing(overrides: dict[str, Override]) -> None:
    spokes = [spoke("a", "v9", *MODELS), spoke("b", "v9", *MODELS)]
    lapsing = {
        name: override
        for name, override in overrides.items()
        if not override.spec.quarantine and all(model.instead_of for model in override.spec.models)
    }
    assert assemble(VALUES, spokes, list(lapsing.items())).clusters == assemble(VALUES, spokes, []).clusters


@given(files)
def test_every_override_out_of_force_is_warned_about(overrides: dict[str, Override]) -> None:
    inputs = assemble(VALUES, [spoke("a", "v1", *MODELS), spoke("b", "v3", *MODELS)], list(overrides.items()))
    forced = {name for cluster in inputs.clusters for name in cluster.overridden_by}
    for file, override in overrides.items():
        assert override.metadata.name in forced or any(file in warning for warning in inputs.warnings)


def test_pin_replaces_the_version_it_names() -> None:
    inputs = assemble(VALUES, [spoke("a")], [("rem.yaml", pin("a", "v2", "v3"))])
    assert inputs.clusters[0].models[0].version == "v2"
    assert inputs.clusters[0].overridden_by == ("to-v2",)


def test_pin_lapses_once_a_person_sets_another_version() -> None:
    inputs = assemble(VALUES, [spoke("a", "v4")], [("rem.yaml", pin("a", "v2", "v3"))])
    assert inputs.clusters[0].models[0].version == "v4"
    assert inputs.warnings[0] == (
        "override rem.yaml has lapsed: it replaces anomaly-detector v3, and clusters/a.yaml now says v4; "
        "the file can be deleted"
    )


def test_later_file_name_wins_and_says_so() -> None:
    inputs = assemble(VALUES, [spoke("a")], [("2.yaml", pin("a", "v2")), ("1.yaml", pin("a", "v1"))])
    assert inputs.clusters[0].models[0].version == "v2"
    assert inputs.clusters[0].overridden_by == ("to-v2",)
    assert inputs.warnings[0].startswith("override 2.yaml pins anomaly-detector on a to v2; it wins over 1.yaml")


def test_quarantine_marks_the_spoke_only() -> None:
    inputs = assemble(VALUES, [spoke("a"), spoke("b")], [("q.yaml", quarantine("a"))])
    assert [cluster.quarantined for cluster in inputs.clusters] == [True, False]


def test_override_of_an_unknown_spoke_is_a_warning() -> None:
    inputs = assemble(VALUES, [spoke("edge-a")], [("q.yaml", quarantine("edge-b"))])
    assert inputs.warnings[0] == "override q.yaml: there is no spoke 'edge-b'; did you mean edge-a?"


def test_override_of_an_unserved_model_is_a_warning() -> None:
    inputs = assemble(VALUES, [spoke("a")], [("x.yaml", pin("a", "v1", model="other"))])
    assert inputs.warnings[0] == "override x.yaml: clusters/a.yaml lists no model 'other'"


def test_namespace_of_the_registry_wins_over_the_spokes() -> None:
    (cluster,) = assemble(VALUES, [spoke("a", "v1", *MODELS, namespace="edge")], []).clusters
    assert [(model.name, model.namespace) for model in cluster.models] == [
        ("anomaly-detector", "edge"),
        ("disk-anomaly", "disks"),
    ]


def test_patch_replaces_what_it_names_and_merges_resources() -> None:
    profile = ModelProfile(runtime="a", resources=Resources(limits={"cpu": "4", "memory": "8Gi"}))
    patch = ModelPatch(resources=Resources(limits={"cpu": "1"}), features=Features(file="x.json"))
    found = patched(profile, patch)
    assert found.resources.limits == {"cpu": "1", "memory": "8Gi"}
    assert (found.runtime, found.features) == ("a", Features(file="x.json"))


def test_spokes_patch_reaches_its_own_model_only() -> None:
    values = VALUES.model_copy(update={"hubctl": HubctlSection(models={"disk-anomaly": ModelProfile(min_replicas=0)})})
    source, plain = spoke("a", "v1", *MODELS)
    patches = Overrides(models={"anomaly-detector": ModelPatch(max_replicas=7)})
    changed = plain.model_copy(update={"spec": plain.spec.model_copy(update={"overrides": patches})})
    (cluster,) = assemble(values, [(source, changed)], []).clusters
    assert [(m.profile.min_replicas, m.profile.max_replicas) for m in cluster.models] == [(1, 7), (0, 1)]


def routed(url: str) -> tuple[str, Spoke]:
    source, found = spoke("a")
    return source, found.model_copy(update={"spec": found.spec.model_copy(update={"route": UrlRoute(url=url)})})


def test_token_over_plain_http_is_warned_about_once_per_spoke() -> None:
    values = VALUES.model_copy(update={"hubctl": HubctlSection(observe=Observe(token_env="TOKEN"))})
    [warning] = assemble(values, [routed("http://{model}.example")], []).warnings[-1:]
    assert warning.startswith("a: its route is http")
    assert not any("http" in found for found in assemble(values, [routed("https://{model}.example")], []).warnings)
    assert not any("http" in found for found in assemble(VALUES, [routed("http://{model}.example")], []).warnings)
