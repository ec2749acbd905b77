"""Comparing, the brake, the message and the diff: pure."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.errors import GuardRefused, InputError
from hubctl.model import tree
from hubctl.publish import changes
from tests.publish.remotes import fleet, wanted

FILES = st.dictionaries(
    st.from_regex(r"rendered/(spokes/[a-c]/)?[d-f]{1,2}\.yaml", fullmatch=True), st.binary(max_size=20), max_size=8
)


def ids(files: dict[str, bytes], object_format: str = "sha1") -> dict[str, str]:
    return {path: changes.blob_id(data, object_format) for path, data in files.items()}


@given(FILES, st.sampled_from(["sha1", "sha256"]))
def test_what_is_already_published_changes_nothing(files: dict[str, bytes], object_format: str) -> None:
    assert changes.compare(ids(files, object_format), wanted(files), object_format=object_format).empty


@given(FILES, FILES)
def test_changes_applied_to_the_published_files_give_the_wanted_ones(
    before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    found = changes.compare(ids(before), wanted(after))
    kept = {path: data for path, data in before.items() if path not in found.removed}
    assert {**kept, **found.writes} == after
    assert not set(found.added) & set(before)


def test_blob_ids_are_those_of_git() -> None:
    assert changes.blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert changes.blob_id(b"", "sha256") == "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"


def test_files_outside_the_owned_folders_are_never_removed() -> None:
    published = ids({"README.md": b"", "rendered-by-hand/a": b"", "rendered/a": b""})
    assert changes.compare(published, wanted({})).removed == ("rendered/a",)


def test_executable_file_of_the_same_bytes_is_changed_back_to_a_plain_one() -> None:
    published = {"rendered/a": f"100755 {changes.blob_id(b'x')}"}
    assert changes.compare(published, wanted({"rendered/a": b"x"})).changed == ("rendered/a",)


def test_spoke_is_removed_when_it_had_files_and_has_none_afterwards() -> None:
    after = fleet("a", "b", "d")
    after.pop("rendered/spokes/b/model.yaml")
    spokes = changes.compare(ids(fleet("a", "b", "c")), wanted(after)).spokes
    assert (spokes.added, spokes.changed, spokes.removed) == (("d",), ("b",), ("c",))
    assert (spokes.before, spokes.after) == (3, 3)


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/../b", "./a", "a/", ".git/config", "a/.GIT/b", "a\0b"])
def test_path_that_cannot_stand_in_a_repository_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="cannot stand"):
        changes.compare({}, wanted({path: b""}))


@pytest.mark.parametrize(
    ("limit", "spokes", "allowed"),
    [(None, 0, 1), (None, 19, 1), (None, 20, 2), (0, 50, 0), (7, 3, 7), ("10%", 9, 0), ("10%", 39, 3), ("100%", 5, 5)],
)
def test_allowed_removals(limit: int | str | None, spokes: int, allowed: int) -> None:
    assert changes.allowed_removals(limit, spokes) == allowed


def removing(count: int, *, of: int) -> changes.Changes:
    names = [f"edge-{number:03}" for number in range(of)]
    return changes.compare(ids(fleet(*names)), wanted(fleet(*names[count:])))


def test_brake_names_the_spokes_and_says_how_to_confirm() -> None:
    with pytest.raises(GuardRefused, match=r"2 spokes of 5 would go, expected at most 1: edge-000, edge-001") as caught:
        changes.check_brake(removing(2, of=5), None)
    assert "hubctl publish --allow-removing 2" in caught.value.hint


def test_brake_lets_pass_what_is_within_the_limit_or_confirmed() -> None:
    changes.check_brake(removing(2, of=20), None)
    changes.check_brake(removing(3, of=5), 3)
    changes.check_brake(removing(3, of=5), 0, 3)
    changes.check_brake(removing(5, of=5), 0, 5)
    changes.check_brake(removing(0, of=5), 0)


@pytest.mark.parametrize("limit", [None, 1, 100, "100%"])
def test_empty_fleet_is_refused_whatever_the_limit(limit: int | str | None) -> None:
    with pytest.raises(GuardRefused, match="no spoke would be left"):
        changes.check_brake(removing(1, of=1), limit)


def test_confirming_fewer_than_would_go_is_refused() -> None:
    with pytest.raises(GuardRefused, match="no spoke would be left"):
        changes.check_brake(removing(5, of=5), None, 4)


def test_long_list_of_removed_spokes_is_cut() -> None:
    with pytest.raises(GuardRefused, match="edge-019 and 30 more"):
        changes.check_brake(removing(50, of=90), None)


def test_message_ends_in_a_paragraph_of_trailers() -> None:
    plan = tree.Wanted(fleet("a"), ("rendered",), "Roll back", "Because.", (("Hubctl-Action-Id", "act-1"),))
    text = changes.message(plan, changes.compare({}, plan), "1.2.3")
    assert text == (
        "Roll back\n\nBecause.\n\nSpokes added 1: a\nFiles: 3 added, 0 changed, 0 removed\n\n"
        "Hubctl-Version: 1.2.3\nHubctl-Action-Id: act-1\n"
    )


def test_line_breaks_in_the_subject_become_spaces() -> None:
    plan = tree.Wanted({}, (), "a\n\nHubctl-Action-Id: forged\r\x00 \u2028b")
    assert changes.message(plan, changes.Changes(), "1").splitlines()[0] == "a Hubctl-Action-Id: forged b"


@pytest.mark.parametrize(
    "trailer", [("Key", "a\nOther: b"), ("Key", "a\rb"), ("Key", " "), ("A key", "b"), ("Key\nX", "b"), ("", "b")]
)
def test_trailer_that_could_forge_another_is_refused(trailer: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="cannot be a trailer"):
        changes.message(wanted({}, trailer), changes.Changes(), "1")


def test_unified_diff_names_both_sides() -> None:
    assert changes.unified("a.yaml", b"x: 1\ny: 2\n", b"x: 1\ny: 3\n").splitlines() == [
        "--- a/a.yaml", "+++ b/a.yaml", "@@ -1,2 +1,2 @@", " x: 1", "-y: 2", "+y: 3"
    ]  # fmt: skip


def test_unified_diff_of_added_and_removed_files() -> None:
    assert changes.unified("a", None, b"x").splitlines()[:2] == ["--- /dev/null", "+++ b/a"]
    assert changes.unified("a", b"x", None).splitlines()[:2] == ["--- a/a", "+++ /dev/null"]
    assert changes.unified("a", None, b"x").endswith("+x\n\\ No newline at end of file\n")


def test_unified_diff_of_equal_sides_is_empty_and_of_binary_ones_one_line() -> None:
    assert changes.unified("a", b"x", b"x") == changes.unified("a", b"\xff", b"\xff") == ""
    assert changes.unified("a", b"\0", b"x") == "Binary file a differs\n"


STAMPED = replace(wanted({"rendered/a": b"1"}), stamps={"stamp": b"new"})


def test_stamp_alone_is_no_change_once_it_is_there() -> None:
    held = {"rendered/a": changes.blob_id(b"1"), "stamp": changes.blob_id(b"old")}
    assert changes.compare(held, STAMPED).empty


@pytest.mark.parametrize("lacks", ["rendered/a", "stamp"])
def test_stamp_goes_along_with_any_change_and_when_it_is_missing(lacks: str) -> None:
    held = {"rendered/a": changes.blob_id(b"1"), "stamp": changes.blob_id(b"old")}
    del held[lacks]
    assert changes.compare(held, STAMPED).writes["stamp"] == b"new"


def test_stamp_in_an_owned_folder_is_not_removed() -> None:
    inside = replace(wanted({"rendered/a": b"1"}), stamps={"rendered/stamp": b"new"})
    held = {"rendered/a": changes.blob_id(b"1"), "rendered/stamp": changes.blob_id(b"old")}
    assert changes.compare(held, inside).empty
    assert changes.compare({**held, "rendered/b": "x" * 40}, inside).removed == ("rendered/b",)
