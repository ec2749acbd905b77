"""What is kept within a bound, round after round."""

from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe.kept import Kept


def ask(kept: Kept[str, str], keys: list[str], size: int = 10) -> int:
    """A round: everything is asked for once, and made where it is not kept; how much was."""
    found = 0
    for key in keys:
        if kept.get(key) is None:
            kept.put(key, f"of {key}", size)
        else:
            found += 1
    return found


def fleet(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def test_what_fits_is_made_once() -> None:
    kept: Kept[str, str] = Kept(100)
    assert [ask(kept, fleet("a", 10)) for _ in range(3)] == [0, 10, 10]


def test_fleet_that_is_a_little_too_large_loses_only_what_finds_no_room() -> None:
    kept: Kept[str, str] = Kept(100)
    assert [ask(kept, fleet("a", 12)) for _ in range(20)] == [0, *[10] * 19]


def test_windows_that_nobody_asks_for_any_more_make_room() -> None:
    kept: Kept[str, str] = Kept(100)
    for _ in range(3):
        ask(kept, fleet("old", 10))
    assert [ask(kept, fleet("new", 10)) for _ in range(5)][-1] == 10


def test_new_value_of_a_key_replaces_the_old_one() -> None:
    kept: Kept[str, str] = Kept(100)
    kept.put("a", "before", 60)
    kept.put("a", "after", 60)
    assert kept.get("a") == "after"


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 120)), max_size=60))
def test_bound_holds_and_what_is_given_back_was_put_there(story: list[tuple[int, int]]) -> None:
    kept: Kept[int, tuple[int, int]] = Kept(100)
    last: dict[int, tuple[int, int]] = {}
    for step, (key, size) in enumerate(story):
        assert kept.get(key) in (None, last.get(key))
        last[key] = step, size
        kept.put(key, last[key], size)
        held = [value for value in map(kept.get, last) if value is not None]
        assert sum(size for _, size in held) <= 100
