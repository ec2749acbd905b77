"""Observations packed and unpacked: exact, whatever they hold."""

from dataclasses import fields
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model import columns, packed
from hubctl.model.predictor import Observation, Outcome, Tried

WINDOWS = st.one_of(st.just(""), st.text(max_size=8), st.binary(min_size=16, max_size=16).map(bytes.hex))
COUNTS = st.integers(0, 2**32 - 1)
WAYS = st.builds(Tried, st.text(max_size=5), st.sampled_from(Outcome), st.text(max_size=5), st.text(max_size=9))
OBSERVATIONS = st.builds(
    Observation,
    cluster=st.text(max_size=5),
    model=st.text(max_size=5),
    version=st.text(max_size=5),
    at=st.datetimes(timezones=st.just(UTC)),
    outcome=st.sampled_from(Outcome),
    reason=st.text(max_size=5),
    detail=st.text(max_size=20),
    window=WINDOWS,
    instances=COUNTS,
    anomalies=COUNTS,
    latency_ms=st.floats(allow_nan=False),
    votes=st.booleans(),
    served_version=st.text(max_size=5),
    route=st.text(max_size=5),
    tried=st.lists(WAYS, max_size=2).map(tuple),
)


@given(st.lists(OBSERVATIONS, max_size=20))
def test_what_is_packed_comes_back_equal_and_in_order(observations: list[Observation]) -> None:
    assert packed.unpack(packed.pack(observations)) == tuple(observations)


@given(st.lists(OBSERVATIONS, min_size=1, max_size=3), st.data())
def test_bytes_that_are_damaged_are_refused(observations: list[Observation], data: st.DataObject) -> None:
    whole = packed.pack(observations)
    with pytest.raises(ValueError, match="packed"):
        packed.unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.lists(st.lists(OBSERVATIONS, max_size=8), max_size=6))
def test_writer_that_remembers_the_round_before_writes_the_same(rounds: list[list[Observation]]) -> None:
    writer = columns.Writer()
    for observations in rounds:
        assert packed.unpack(writer.write(packed.columns_of(observations))) == tuple(observations)


def test_every_field_of_an_observation_is_packed() -> None:
    assert set(packed.columns_of(())) == {field.name for field in fields(Observation)}
