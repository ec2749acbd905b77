"""Files to changed objects: field changes rebuild the new object, order does not matter, secrets stay secret."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubctl.publish import objects
from hubctl.publish.fields import ABSENT, Field, Named, differing

KEYS = st.sampled_from(["a", "b", "name", "x/y", "spec"])
SCALARS = (
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([0.0, 1.0]) | st.sampled_from(["", "v1", "v2"])
)
NAMED = st.lists(
    st.dictionaries(st.sampled_from(["value", "port"]), SCALARS), max_size=4
).flatmap(  # items called after distinct names, in any order
    lambda items: st.permutations(["n1", "n2", "n3", "n4"]).map(
        lambda names: [{"name": name, **item} for name, item in zip(names, items, strict=False)]
    )
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | NAMED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def applied(value: Any, fields: list[Field]) -> Any:
    """A value after field changes; written apart from the code that finds them."""
    root = {"root": copy.deepcopy(value)}
    # Indices are taken out from behind, so that those before them stay right.
    for field in [one for one in fields if one.new is not ABSENT] + [one for one in fields[::-1] if one.new is ABSENT]:
        apply(root, ("root", *field.trail), field)
    return root["root"]


def apply(holder: Any, trail: tuple[Any, ...], field: Field) -> None:
    head, *rest = trail
    if isinstance(head, Named):
        if head.name is None:
            holder.sort(key=lambda item: field.new.index(item["name"]) if item["name"] in field.new else -1)
            return
        names = [item["name"] for item in holder]
        head = names.index(head.name) if head.name in names else len(holder)
    if rest:
        apply(holder[head], tuple(rest), field)
    elif field.new is ABSENT:
        del holder[head]
    elif isinstance(holder, list) and head == len(holder):
        holder.append(copy.deepcopy(field.new))
    else:
        holder[head] = copy.deepcopy(field.new)


def strictly(value: Any) -> str:
    """Text in which 1, 1.0 and true differ, and the order of a mapping's keys does not count."""
    if isinstance(value, dict):
        return repr(sorted((key, strictly(inner)) for key, inner in value.items()))
    return repr([strictly(item) for item in value]) if isinstance(value, list) else repr(value)


@given(VALUES, VALUES)
def test_fields_applied_to_the_old_value_give_the_new_one(old: Any, new: Any) -> None:
    assert strictly(applied(old, list(differing(old, new)))) == strictly(new)


@given(VALUES)
def test_equal_values_have_no_field_that_differs(value: Any) -> None:
    assert list(differing(value, copy.deepcopy(value))) == []


def paths(old: Any, new: Any) -> list[str]:
    return [f"{field.change} {field.path}" for field in differing(old, new)]


def test_item_with_a_name_is_found_wherever_it_stands() -> None:
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    new = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}, {"name": "C"}]}
    assert paths(old, new) == ["changed env[name=B].value", "added env[name=C]"]


def test_other_order_of_named_items_is_one_field() -> None:
    found = list(differing([{"name": "A"}, {"name": "B"}], [{"name": "B"}, {"name": "A"}]))
    assert [(field.path, field.old, field.new) for field in found] == [("[*].name", ["A", "B"], ["B", "A"])]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": [1, 2]}, {"a": [1]}, ["removed a[1]"]),
        ({"a": [{"name": "x"}, {"name": "x"}]}, {"a": [{"name": "x"}]}, ["removed a[1]"]),
        ({"x/y": 1}, {"x/y": True}, ['changed ["x/y"]']),
        ({"a": None}, {}, ["removed a"]),
        ("one", "two", ["changed $"]),
    ],
)
def test_path_is_written_as_people_write_it(old: Any, new: Any, expected: list[str]) -> None:
    assert paths(old, new) == expected


def manifest(name: str = "m", kind: str = "ConfigMap", **content: Any) -> bytes:
    metadata = {"name": name, "namespace": "ns"}
    return yaml.safe_dump({"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}).encode()


FILES = st.dictionaries(
    st.sampled_from([f"rendered/{place}/{file}.yaml" for place in ("hub", "spokes/a", "spokes/b") for file in "xyz"]),
    st.builds(lambda name, value: manifest(name, data={"k": value}), st.sampled_from("mno"), st.sampled_from("12")),
)


@given(FILES, FILES, st.randoms(use_true_random=False))
def test_order_of_files_does_not_matter(old: dict[str, bytes], new: dict[str, bytes], random: Any) -> None:
    def shuffled(files: dict[str, bytes]) -> dict[str, bytes]:
        return dict(random.sample(sorted(files.items()), len(files)))

    found, silent = objects.compare_files(old, new)
    assert objects.compare_files(shuffled(old), shuffled(new)) == (found, silent)
    assert objects.grouped(found) == objects.grouped(random.sample(found, len(found)))


@given(FILES)
def test_equal_files_change_no_object(files: dict[str, bytes]) -> None:
    assert objects.compare_files(files, dict(files)) == ((), ())


@given(FILES, FILES)
def test_every_file_that_differs_is_told_of(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    found, silent = objects.compare_files(old, new)
    differs = {path for path in {*old, *new} if old.get(path) != new.get(path)}
    assert bool(differs) == bool(found or silent)
    assert set(silent) <= differs


def test_object_is_named_with_its_file_and_spoke() -> None:
    (change,), silent = objects.compare_files({}, {"rendered/spokes/a/m.yaml": manifest()})
    assert (change.change, change.object) == ("added", objects.Object("ConfigMap", "ns", "m", "v1", "m.yaml", "a"))
    assert silent == ()


def test_object_that_moves_to_another_file_does_not_change() -> None:
    found = objects.compare_files({"rendered/hub/x.yaml": manifest()}, {"rendered/hub/y.yaml": manifest()})
    assert found == ((), ("rendered/hub/x.yaml", "rendered/hub/y.yaml"))


def test_comment_changes_a_file_and_no_object() -> None:
    found = objects.compare_files({"a.yaml": manifest()}, {"a.yaml": b"# why\n" + manifest()})
    assert found == ((), ("a.yaml",))


def test_same_change_on_many_spokes_is_one_entry() -> None:
    def fleet(version: str) -> dict[str, bytes]:
        return {f"rendered/spokes/{name}/m.yaml": manifest(data={"v": version}) for name in ("a", "b", "c")}

    (entry,) = objects.grouped(objects.compare_files(fleet("1"), fleet("2"))[0])
    assert (entry.spokes, [(one.path, one.old, one.new) for one in entry.fields]) == (
        ("a", "b", "c"),
        [("data.v", "1", "2")],
    )


def test_objects_called_after_their_spokes_are_one_entry_and_a_single_one_keeps_its_name() -> None:
    def entries(*names: str) -> list[tuple[str, tuple[str, ...]]]:
        files = {f"rendered/spokes/{name}/k.yaml": manifest(name) for name in names}
        return [(one.object.name, one.spokes) for one in objects.grouped(objects.compare_files({}, files)[0])]

    assert entries("a", "b") == [(objects.SPOKE, ("a", "b"))]
    assert entries("a") == [("a", ("a",))]


def test_other_change_of_one_spoke_is_an_entry_of_its_own() -> None:
    old = {f"rendered/spokes/{name}/m.yaml": manifest(data={"v": "1"}) for name in ("a", "b")}
    new = {f"rendered/spokes/{name}/m.yaml": manifest(data={"v": name}) for name in ("a", "b")}
    assert [one.spokes for one in objects.grouped(objects.compare_files(old, new)[0])] == [("a",), ("b",)]


def secret(key: str, **values: str) -> bytes:
    content: dict[str, Any] = {key: values}
    return manifest(kind="Secret", **content)


@pytest.mark.parametrize("key", ["data", "stringData"])
def test_values_of_a_secret_are_compared_and_never_shown(key: str) -> None:
    old = {"s.yaml": secret(key, same="hush0", token="hush1")}
    new = {"s.yaml": secret(key, same="hush0", token="hush2", more="hush3")}
    (change,), _ = objects.compare_files(old, new)
    assert [field.path for field in change.fields] == [f"{key}.more", f"{key}.token"]
    assert "hush" not in f"{change} {[str(value) for field in change.fields for value in (field.old, field.new)]}"


def test_secret_in_a_list_is_veiled_too() -> None:
    def listed(value: str) -> dict[str, bytes]:
        secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": value}}
        return {"l.yaml": manifest(kind="List", items=[secret])}

    (change,), _ = objects.compare_files(listed("hush1"), listed("hush2"))
    assert [(field.path, str(field.new)) for field in change.fields] == [("items[0].data.token", "(redacted)")]


def test_file_that_is_no_object_goes_by_its_name() -> None:
    (change,), _ = objects.compare_files({"rendered/spokes/a/delivery.yaml": b"cluster: a\n"}, {})
    assert (change.change, change.object.kind, change.object.name) == ("removed", "", "delivery.yaml")


@pytest.mark.parametrize(
    "odd",
    [
        b"\xff\xfe",
        b"a: [",
        b"a: &a [*a]",
        b"[" * 5000,
        b"a: &a [1, 1]\nb: &b [*a, *a]\n" + b"".join(b"c%d: &b [%s]\n" % (n, b"*b, " * 9) for n in range(9)),
        b"a: !!python/object:os.system x",
    ],
    ids=["not UTF-8", "broken", "recursive", "deep", "bomb", "tagged"],
)
def test_odd_file_on_the_branch_is_opaque_and_its_text_not_shown(odd: bytes) -> None:
    (changed,), _ = objects.compare_files({"odd.yaml": odd}, {"odd.yaml": odd + b"#"})
    assert [field.path for field in changed.fields] == ["$"]
    assert str(changed.fields[0].old).startswith(f"{len(odd)} bytes, sha256 ")


def test_date_stays_text_and_number_and_text_differ() -> None:
    (change,), _ = objects.compare_files(
        {"a.yaml": manifest() + b"x: 2026-01-01\ny: 1\n"}, {"a.yaml": manifest() + b'x: 2026-01-02\ny: "1"\n'}
    )
    assert [(field.path, field.old, field.new) for field in change.fields] == [
        ("x", "2026-01-01", "2026-01-02"),
        ("y", 1, "1"),
    ]


def test_two_documents_of_one_file_are_two_objects() -> None:
    old = {"a.yaml": manifest("m") + b"---\n" + manifest("n")}
    found, _ = objects.compare_files(old, {"a.yaml": manifest("n")})
    assert [(one.change, one.object.name) for one in found] == [("removed", "m")]
