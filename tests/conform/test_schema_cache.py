"""The cache is whole or as it was, says where each schema came from, and refuses what is damaged."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubctl.conform import kinds
from hubctl.conform.cache import INDEX, Cache, Origin
from hubctl.errors import InputError
from tests.conform.crds import COUNT, TEXT, definition, obj

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("https://hub.example.com:6443", "v1.33.4", NOW)
WIDGET = ("example.com/v1", "Widget")


def made(*versions: str, size: str = "size") -> list[tuple[kinds.Kind, Origin]]:
    found = (definition(obj(**{size: COUNT}), version=version) for version in versions)
    return [(kind, ORIGIN) for one in found for kind in kinds.of_document(one)]


def pull(folder: Path, *versions: str, side: str = "all", size: str = "size", replace: bool = False) -> Cache:
    cache = Cache(folder)
    cache.write(cache.plan(made(*versions, size=size), side, replace_all=replace))
    return Cache(folder)


def keys(cache: Cache) -> list[tuple[str, str]]:
    return [(entry.side, entry.api_version.rpartition("/")[2]) for entry in cache.entries]


def test_folder_that_does_not_exist_is_an_empty_cache(tmp_path: Path) -> None:
    assert Cache(tmp_path / "none").find("hub", *WIDGET) is None
    assert not (tmp_path / "none").exists()


def test_pulled_schema_is_found_again_with_its_origin(tmp_path: Path) -> None:
    cache = pull(tmp_path, "v1")
    assert json.loads(cache.find("spokes", *WIDGET) or "")["properties"]["spec"]
    assert [entry.origin for entry in cache.entries] == [ORIGIN]


def test_later_pulls_add_and_replacing_starts_anew(tmp_path: Path) -> None:
    pull(tmp_path, "v1")
    assert keys(pull(tmp_path, "v2")) == [("all", "v1"), ("all", "v2")]
    assert keys(pull(tmp_path, "v3", replace=True)) == [("all", "v3")]


def test_replacing_leaves_the_other_sides_alone(tmp_path: Path) -> None:
    pull(tmp_path, "v1", side="hub")
    pull(tmp_path, "v1", side="spokes", size="length")
    assert keys(pull(tmp_path, "v2", side="hub", replace=True)) == [("hub", "v2"), ("spokes", "v1")]


def test_own_side_goes_before_all(tmp_path: Path) -> None:
    pull(tmp_path, "v1")
    cache = pull(tmp_path, "v1", side="spokes", size="length")
    assert "length" in (cache.find("spokes", *WIDGET) or "")
    assert "size" in (cache.find("hub", *WIDGET) or "")


def test_plan_says_what_is_new_changed_the_same_and_gone_and_writes_nothing(tmp_path: Path) -> None:
    cache = pull(tmp_path, "v1", "v2", "v4")
    before = sorted(path.name for path in tmp_path.iterdir())
    plan = cache.plan([*made("v1", "v3"), *made("v2", size="length")], "all", replace_all=True)
    told = {
        word: [entry.api_version for entry in getattr(plan, word)] for word in ("added", "changed", "same", "removed")
    }
    versions = {word: [name.rpartition("/")[2] for name in names] for word, names in told.items()}
    assert versions == {"added": ["v3"], "changed": ["v2"], "same": ["v1"], "removed": ["v4"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_files_that_nothing_names_any_more_are_removed(tmp_path: Path) -> None:
    pull(tmp_path, "v1")
    pull(tmp_path, "v1", size="length")
    assert len([path for path in tmp_path.glob("*.json") if path.name != INDEX]) == 1


def test_pull_that_dies_before_its_end_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    cache = pull(tmp_path, "v1")
    plan = cache.plan(made("v2"), "all")
    (tmp_path / INDEX).chmod(0o600)
    blocker = tmp_path / next(entry.file for entry in plan.entries if entry.api_version.endswith("v2"))
    blocker.mkdir()  # Its file cannot be put there.
    with pytest.raises(InputError):
        cache.write(plan)
    assert keys(Cache(tmp_path)) == [("all", "v1")]
    assert Cache(tmp_path).find("hub", *WIDGET)


def test_pull_that_another_overtook_does_not_undo_it(tmp_path: Path) -> None:
    slow = Cache(tmp_path)
    pull(tmp_path, "v1")
    with pytest.raises(InputError, match="another pull"):
        slow.write(slow.plan(made("v2"), "all"))
    assert keys(Cache(tmp_path)) == [("all", "v1")]


def test_damaged_file_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    cache = pull(tmp_path, "v1")
    (tmp_path / cache.entries[0].file).write_text("{}")
    with pytest.raises(InputError, match="not what was pulled") as failed:
        cache.find("hub", *WIDGET)
    assert "hubctl schemas pull" in failed.value.hint


@pytest.mark.parametrize(
    ("index", "complaint"),
    [("", None), ("{", "damaged"), ('{"format": 99, "kinds": []}', "format 99"), ('{"format": 1}', "damaged")],
)
def test_index_that_cannot_be_read_is_named(tmp_path: Path, index: str, complaint: str | None) -> None:
    (tmp_path / INDEX).write_text(index)
    if complaint is None:
        assert Cache(tmp_path).entries == ()
        return
    with pytest.raises(InputError, match=complaint):
        Cache(tmp_path)


@pytest.mark.parametrize("index", ["{", '{"format": 99, "kinds": []}'])
def test_cache_of_another_hubctl_can_be_replaced_as_its_error_says(tmp_path: Path, index: str) -> None:
    (tmp_path / INDEX).write_text(index)
    with pytest.raises(InputError) as failed:
        Cache(tmp_path)
    assert "--replace" in failed.value.hint
    renewed = Cache(tmp_path, renewing=True)
    renewed.write(renewed.plan(made("v1"), "all", replace_all=True))
    assert keys(Cache(tmp_path)) == [("all", "v1")]


def test_schema_that_no_validator_takes_is_told_and_left_out(tmp_path: Path) -> None:
    bad = definition(obj(a={**TEXT, "pattern": "("}))
    found = [(kind, ORIGIN) for kind in kinds.of_document(bad)]
    plan = Cache(tmp_path).plan([*found, *made("v2")], "all")
    assert [entry.api_version for entry in plan.entries] == ["example.com/v2"]
    assert "Widget" in plan.unusable[0]


def test_same_definition_gives_the_same_file_whatever_the_order_of_its_keys(tmp_path: Path) -> None:
    cache = pull(tmp_path, "v1")
    turned = definition(dict(reversed(obj(size=COUNT).items())))
    plan = cache.plan([(kind, ORIGIN) for kind in kinds.of_document(turned)], "all")
    assert [entry.kind for entry in plan.same] == ["Widget"]
