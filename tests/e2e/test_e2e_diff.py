"""``diff`` by object and field: on a terminal, as data that fits its schema, as the comment of a pull request."""

import json
from typing import Any

import pytest
import yaml

from hubctl.cli import difference, main
from tests.e2e.world import MODEL, SPOKES, World, git

URI = "spec.predictor.model.storageUri"


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value has the keys and types that a schema says; as much of JSON Schema as ours needs."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(fits(value, one, root) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    types: dict[str, type] = {"object": dict, "array": list, "string": str, "null": type(None)}
    if not isinstance(value, types.get(schema.get("type", ""), object)):
        return False
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return set(schema.get("required", ())) <= set(value) <= set(known) and all(
            fits(inner, known[key], root) for key, inner in value.items()
        )
    items = value if isinstance(value, list) and "items" in schema else []
    return all(fits(item, schema["items"], root) for item in items)


def told(world: World, *arguments: str) -> Any:
    data = world.inside("diff", "-o", "json", *arguments, expect=1).json
    assert fits(data, difference.schema(), difference.schema()), data
    return data


def test_same_change_of_two_spokes_is_told_once(healthy: World) -> None:
    healthy.set_version("v2", "north", "west")
    data = told(healthy)
    (one,) = [entry for entry in data["objects"] if any(field["path"] == URI for field in entry["fields"])]
    assert (one["change"], one["kind"], one["name"], one["spokes"]) == (
        "changed", "InferenceService", MODEL, ["north", "west"],
    )  # fmt: skip
    assert (data["schemaVersion"], data["rewritten"]) == ("1", [])


def test_fields_on_a_terminal_say_old_and_new_and_then_the_spokes(healthy: World) -> None:
    healthy.set_version("v2", "north", "west")
    shown = healthy.inside("diff", "--style", "fields", expect=1).out
    assert shown.startswith("Changed objects:\n")
    assert f"InferenceService self-healing-platform/{MODEL} on 2 spokes: north, west\n" in shown
    assert f'{URI}: "pvc://model-storage-pvc/{MODEL}/v1" -> "pvc://model-storage-pvc/{MODEL}/v2"' in shown
    assert shown.splitlines()[-2:] == ["north  changed", "west   changed"]


def test_patch_stays_the_default(healthy: World) -> None:
    healthy.set_version("v2", "north")
    assert healthy.inside("diff", expect=1).out == healthy.inside("diff", "--style", "patch", expect=1).out


def test_new_fleet_is_told_by_object_not_by_spoke(fresh: World) -> None:
    entries = told(fresh)["objects"]
    spokes = [one for one in entries if one["spokes"]]
    assert {one["change"] for one in entries} == {"added"}
    assert [one["spokes"] for one in spokes] == [sorted(SPOKES)] * len(spokes)
    assert {one["name"] for one in spokes if one["kind"] == "Kustomization"} == {"<spoke>"}


def test_removed_spoke_loses_every_object(healthy: World) -> None:
    healthy.inside("clusters", "remove", "south")
    gone = [one for one in told(healthy)["objects"] if one["change"] == "removed"]
    assert {tuple(one["spokes"]) for one in gone} == {("south",)}
    assert {"delivery.yaml"} == {one["name"] for one in gone if not one["kind"]}


def test_data_of_one_spoke_leaves_the_others_out(healthy: World) -> None:
    healthy.set_version("v2", "north", "west")
    data = told(healthy, "--cluster", "north")
    assert data["spokes"]["changed"] == ["north"]
    assert {spoke for one in data["objects"] for spoke in one["spokes"]} == {"north"}


def test_summary_as_data_has_no_objects(healthy: World) -> None:
    healthy.set_version("v2", "north")
    data = told(healthy, "--summary")
    assert (data["spokes"]["changed"], data["objects"]) == (["north"], None)


def test_comment_of_another_writer_is_no_change_of_an_object(healthy: World) -> None:
    path = f"rendered/spokes/north/inferenceservice-{MODEL}.yaml"
    healthy.commit(healthy.clone("person"), path, f"# by hand\n{healthy.file(path)}\n")
    data = told(healthy)
    assert (data["objects"], data["rewritten"]) == ([], [path])
    assert path in healthy.inside("diff", "--style", "fields", expect=1).out


def test_file_of_another_writer_that_is_no_yaml_is_taken_out_and_its_text_not_shown(healthy: World) -> None:
    healthy.commit(healthy.clone("person"), "rendered/spokes/north/stray.yaml", "token: [hush\n")
    (one,) = told(healthy)["objects"]
    assert (one["change"], one["kind"], one["name"]) == ("removed", "", "stray.yaml")


def test_links_in_the_rendered_folder_are_told(healthy: World) -> None:
    clone = healthy.clone("person")
    (clone / "rendered/spokes/north/link.yaml").symlink_to("delivery.yaml")
    git(clone, "add", "--all")
    tip = git(clone, "rev-parse", "HEAD")
    git(clone, "update-index", "--add", "--cacheinfo", f"160000,{tip},rendered/spokes/north/module")
    git(clone, "commit", "--quiet", "-m", "Links")
    git(clone, "push", "--quiet")
    data = told(healthy)
    names = [one["name"] for one in data["objects"]] + data["rewritten"]
    assert names == ["link.yaml", "rendered/spokes/north/module"]
    healthy.inside("diff", expect=1)


def test_secret_on_the_branch_is_redacted(healthy: World) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "hush"}}
    path = "templates/spoke/s.yaml.j2"
    clone = healthy.clone("person")
    healthy.commit(clone, "rendered/spokes/north/s.yaml", yaml.safe_dump(secret))
    template = healthy.fleet / path
    template.parent.mkdir(parents=True)
    labelled = secret["metadata"] | {"labels": {"app.kubernetes.io/managed-by": "hubctl"}}  # type: ignore[operator]
    new = secret | {"metadata": labelled, "stringData": {"a": "other"}}
    template.write_text("[% if spoke.name == 'north' %]\n" + yaml.safe_dump(new) + "[% endif %]\n")
    assert "stringData.a: a Secret with a value" in healthy.inside("diff", expect=2).err
    mark = {"file": path, "field": "stringData.a", "reason": "a test"}
    healthy.edit_values(lambda hubctl: hubctl.update(notCredentials=[mark]))
    data = told(healthy)
    (one,) = [entry for entry in data["objects"] if entry["kind"] == "Secret"]
    field = {"path": "stringData.a", "change": "changed", "old": "(redacted)", "new": "(redacted)"}
    assert field in one["fields"]
    assert "hush" not in json.dumps(data)


def test_markdown_fits_a_comment(healthy: World) -> None:
    healthy.set_version("v2", "north", "west")
    text = healthy.inside("diff", "-o", "markdown", expect=1).out
    assert text.startswith("### hubctl diff: 2 spokes affected\n")
    assert f"| `{URI}` |" in text
    assert healthy.inside("diff", "-o", "markdown", "--summary", expect=1).out == text[: text.index("\n#### ")]


def test_nothing_to_publish_says_so_in_every_form(healthy: World) -> None:
    assert "no difference" in healthy.inside("diff", "-o", "markdown", expect=0).out
    assert "no difference" in healthy.inside("diff", "--style", "fields", expect=0).err
    assert healthy.inside("diff", "-o", "json", expect=0).json["objects"] == []


def test_limit_too_small_for_a_summary_is_refused(healthy: World) -> None:
    assert "8000" in healthy.inside("diff", "-o", "markdown", "--max-chars", "10", expect=2).err


def test_schema_of_diff_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["schema", "diff"]) == 0
    assert json.loads(capsys.readouterr().out) == difference.schema()
