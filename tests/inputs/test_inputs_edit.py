"""Edits keep what they do not mean to change."""

import difflib
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs import edit, explain, splice
from hubctl.inputs.document import parse
from hubctl.model.cluster import Spoke
from hubctl.model.registry import KServe
from hubctl.model.route import UrlRoute
from tests.inputs.inputfolder import SPOKE, VALUES

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "clusters").glob("*.yaml"))


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line.startswith(("+ ", "- "))]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_new_version_changes_one_line(path: Path) -> None:
    text = path.read_text()
    after = edit.set_version(text, "anomaly-detector", "v4")
    assert changed(text, after) == ["-       version: v3", "+       version: v4"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: v3", "version: v4"),
        ("version: 'v3'  # tried", "version: 'v4'  # tried"),
        ('version:   "v3"', 'version:   "v4"'),
    ],
)
def test_quotes_spaces_and_comments_stay(old: str, new: str) -> None:
    text = SPOKE.replace("version: v3", old)
    assert edit.set_version(text, "anomaly-detector", "v4") == SPOKE.replace("version: v3", new)


def test_version_that_looks_like_a_number_is_quoted() -> None:
    assert edit.set_version(SPOKE, "anomaly-detector", "1.10").endswith('version: "1.10"\n')


def test_model_in_flow_style_is_edited_too() -> None:
    text = SPOKE.partition("  models:")[0] + "  models: [{name: anomaly-detector, version: v3}]  # one\n# end\n"
    assert edit.set_version(text, "anomaly-detector", "v4") == text.replace("v3", "v4")


def test_crlf_line_ends_stay() -> None:
    text = SPOKE.replace("\n", "\r\n")
    after = edit.add_model(text, "disk-anomaly", "v1")
    assert after == text + "    - name: disk-anomaly\r\n      version: v1\r\n"


@pytest.mark.parametrize(("model", "versions"), [("anomaly-detector", ["v4", "v3"]), ("disk-anomaly", ["v3", "v4"])])
def test_setting_an_anchored_version_moves_no_other_model(model: str, versions: list[str]) -> None:
    text = SPOKE.replace("v3", "&v v3  # both") + "    - name: disk-anomaly\n      version: *v\n"
    after = edit.set_version(text, model, "v4")
    assert [one["version"] for one in parse(after, "x").data["spec"]["models"]] == versions
    assert "# both" in after


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        edit.set_version(SPOKE, "anomaly-detecter", "v4")
    assert caught.value.hint == "did you mean anomaly-detector?"


def test_word_that_is_no_version_is_refused() -> None:
    with pytest.raises(InputError, match=r"found '\.\./x' as a version, expected 1 to 63 letters"):
        edit.set_version(SPOKE, "anomaly-detector", "../x")


def test_added_model_follows_the_last_one() -> None:
    text = SPOKE + "  # how it is reached\n  route: {type: acm, host: hub.example}\n"
    after = edit.add_model(text, "disk-anomaly", "v1")
    assert changed(text, after) == ["+     - name: disk-anomaly", "+       version: v1"]
    assert [m.name for m in explain.check(Spoke, parse(after, "x")).spec.models] == ["anomaly-detector", "disk-anomaly"]


def test_model_that_is_there_is_not_added_again() -> None:
    with pytest.raises(InputError, match="found 'anomaly-detector' already"):
        edit.add_model(SPOKE, "anomaly-detector", "v1")


def test_model_is_registered_in_the_services_of_the_file() -> None:
    text = (ROOT / "values-hub.yaml").read_text()
    after = edit.register_model(text, "net-anomaly")
    assert changed(text, after) == ["+       net_anomaly: net-anomaly-predictor"]


def test_model_is_registered_in_the_list_of_the_file(data: Path) -> None:
    text = (data / "models.yaml").read_text()
    after = edit.register_model(text, "net-anomaly", "net", kind="anomaly")
    assert after == text + "      - name: net-anomaly\n        service: net\n        type: anomaly\n"


@pytest.mark.parametrize("name", ["chart.yaml", "after.yaml"])
def test_model_with_a_type_joins_services_as_a_list(data: Path, name: str) -> None:
    after = edit.register_model((data / name).read_text(), "net-anomaly", kind="anomaly", namespace="net")
    kserve = explain.check(KServe, parse(after, "x"), ("coordinationEngine", "kserve"))
    assert [model.name for model in kserve.registry] == ["anomaly-detector", "net-anomaly", "predictive-analytics"]
    assert kserve.models[0].namespace == "net"


@pytest.mark.parametrize(
    "text", ["# mine\na: 1", "coordinationEngine:\n", "coordinationEngine: {}  # x\n", "hubctl: {}\n"]
)
def test_model_is_registered_in_a_file_without_registry(text: str) -> None:
    after = edit.register_model(text, "net-anomaly")
    kserve = explain.check(KServe, parse(after, "x"), ("coordinationEngine", "kserve"))
    assert [model.service for model in kserve.registry] == ["net-anomaly-predictor"]
    assert all(comment in after for comment in ("# mine", "# x") if comment in text)


@pytest.mark.parametrize("model", ["anomaly-detector", "timeout-guard", "Net"])
def test_name_that_cannot_be_registered_is_refused(model: str) -> None:
    with pytest.raises(InputError, match="expected"):
        edit.register_model(VALUES, model)


def test_new_cluster_is_a_spoke_with_its_modeline() -> None:
    text = edit.new_cluster("edge-z", version="4.20", topology="sno", models={"anomaly-detector": "1.0"})
    spoke = explain.check(Spoke, parse(text, "x"))
    assert text.startswith("# yaml-language-server: $schema=../schemas/spoke.schema.json\n")
    assert (spoke.metadata.name, spoke.spec.topology, spoke.spec.models[0].version) == ("edge-z", "sno", "1.0")


def test_new_cluster_takes_a_first_model_below_its_comment() -> None:
    after = edit.add_model(edit.new_cluster("edge-z", models={}), "anomaly-detector", "v1")
    assert after.endswith("  models:\n    - name: anomaly-detector\n      version: v1\n")


def test_new_cluster_takes_any_route_and_storage() -> None:
    text = edit.new_cluster(
        "cloud",
        platform="kubernetes",
        version="1.33",
        models={},
        route={"type": "url", "url": "https://{model}.{cluster}.example"},
        storage={"type": "s3", "bucket": "models"},
    )
    spec = explain.check(Spoke, parse(text, "x")).spec
    assert isinstance(spec.route, UrlRoute)
    assert spec.storage is not None
    assert (spec.route.url, spec.storage.type) == ("https://{model}.{cluster}.example", "s3")


def test_new_cluster_with_a_bad_name_is_refused() -> None:
    with pytest.raises(InputError, match="found 'Edge_Z'"):
        edit.new_cluster("Edge_Z", models={})


def test_comments_inside_a_flow_mapping_move_above_it() -> None:
    text = "# top\na: {\n  b: 1,  # one\n  c: 2  # two\n}\nd:   3  # wide\n"
    after = splice.put(text, "x", ("a", "e"), "new")
    assert parse(after, "x").data == {"a": {"b": 1, "c": 2, "e": "new"}, "d": 3}
    assert after == "# top\n# one\n# two\na: {b: 1, c: 2, e: new}\nd:   3  # wide\n"


keys = st.sampled_from(["a", "b", "c", "on", "x-y"])
values = st.recursive(
    st.sampled_from(["text", "a: b", "4.10", "", "- x", "null"]) | st.integers(-9999, 9999) | st.booleans(),
    lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.dictionaries(keys, values, min_size=1), st.lists(st.sampled_from(["# one", "  # two", ""]), min_size=4))
def test_put_and_remove_keep_every_comment_and_undo_each_other(tree: dict[str, object], comments: list[str]) -> None:
    lines = splice.block(tree, "")
    text = "".join(f"{line}\n{comments[index % len(comments)]}\n" for index, line in enumerate(lines))
    added = splice.put(text, "x", ("new", "key"), {"k": "v"})
    assert parse(added, "x").data == {**tree, "new": {"key": {"k": "v"}}}
    assert added.count("#") == text.count("#")
    assert parse(splice.remove(added, "x", ("new",)), "x").data == tree


@given(st.text(st.characters(exclude_categories=["C"]), max_size=20) | st.text("0123456789.eE+-:_xon", max_size=8))
def test_any_scalar_survives_writing(text: str) -> None:
    assert parse(f"a: {splice.scalar(text)}\n", "x").data == {"a": text}


def test_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")
    path.chmod(0o640)
    edit.write_text(path, "new\r\n")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new\r\n", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("old")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    edit.write_text(tmp_path / "link.yaml", "new")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "new"


def test_file_in_no_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write it"):
        edit.write_text(tmp_path / "no" / "a.yaml", "x")
