from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.golden import Answers, Golden, digest_of
from hubctl.model.outputs import Tensor
from hubctl.model.predictor import Window
from hubctl.model.route import AcmRoute, ExposedRoute, UrlRoute
from hubctl.model.snapshot import FEEDBACK_WORKS, MANAGED_CLUSTERS, SERVICE_ACCOUNTS, Snapshot
from hubctl.model.turn import Tally
from hubctl.model.values import ModelProfile, Observe
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.shards import parcel
from tests.shards.fleets import NOW, fleet, service

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def job(**changes: object) -> parcel.Job:
    made = parcel.Job(
        leader="one", setup="s", now=NOW, begins=NOW - timedelta(seconds=3), seconds=60.0, seed=7, limit=70.0,
        services=("a", "b"), windows=("w",), rows=(0, 0, 0),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.tuples(*[NUMBERS] * width), min_size=1, max_size=6)))
def test_window_arrives_as_it_was_to_the_last_bit(rows: list[tuple[float, ...]]) -> None:
    window = Window(tuple(rows), "0123456789abcdef" * 2)
    found = parcel.rows_of(parcel.rows_blob(window))
    assert found == window
    assert repr(found) == repr(window)


@given(st.sampled_from(Reason), st.text(max_size=40))
def test_reason_for_no_window_arrives(reason: Reason, detail: str) -> None:
    found = parcel.rows_of(parcel.rows_blob(NoWindow(reason, detail)))
    assert isinstance(found, NoWindow)
    assert (found.reason, found.detail) == (reason, detail)
    assert isinstance(found.reason, Reason)


def test_predictors_arrive_as_they_were() -> None:
    tensor = ModelProfile(protocol="v2", tensor=Tensor(name="x"))
    several = (AcmRoute(scheme="https", port=8443), UrlRoute(url="https://a.example", ca_file="/ca/{cluster}.pem"))
    found = (
        *fleet(["http://a.example"] * 9),
        service(profile=tensor, route=several, account="poller", pinned_by="o"),
        service(route=None),
    )
    assert parcel.services_of(parcel.services_blob(found)) == found


@pytest.mark.parametrize(
    ("declared", "answers"),
    [
        ({}, (1, -1)),
        ({"labels": {"normal": [0, "ok", True], "anomaly": ["bad"]}}, ("ok", True)),
        ({"output": "scores", "scores": {"threshold": 0.5, "anomaly_when": "above", "column": 1}}, ((1.0,), (1e-05,))),
        ({"output": "classes", "classes": {"names": ["ok", "bad"], "anomaly": ["bad"]}}, ("ok", "bad")),
        ({"output": "forecast", "forecast": {"width": 2}}, ((1.0, 2.5), (3.0, 4.0))),
    ],
)
def test_golden_rows_arrive_once_with_what_is_declared_of_the_output(declared: object, answers: Answers) -> None:
    rows = ((1.0, 0.1), (2.0, 1e300))
    golden = Golden(rows, "v1", {"v1": answers, "v2": answers[::-1]}, 1e-4, digest_of(rows))
    one = service(profile=ModelProfile.model_validate(declared))
    found = (replace(one, golden=golden), one, replace(one, golden=golden))
    back = parcel.services_of(parcel.services_blob(found))
    assert back == found
    assert repr(back[0].golden) == repr(golden)
    assert back[0].golden is back[2].golden


ANSWER = st.booleans() | st.integers(-9, 9) | NUMBERS | st.text(max_size=5) | st.tuples(NUMBERS, NUMBERS)


@given(st.lists(ANSWER, min_size=1, max_size=5))
def test_golden_rows_arrive_as_they_were(answers: list[Any]) -> None:
    golden = Golden(rows=((1.0, -2.5),), version="v1", known={"v1": tuple(answers)}, tolerance=1e-3, digest="0" * 32)
    (found,) = parcel.services_of(parcel.services_blob([service(golden=golden)]))
    assert found.golden is not None
    assert repr(found.golden.known["v1"]) == repr(golden.known["v1"])
    assert found.golden.rows == golden.rows


def test_settings_arrive_as_they_were() -> None:
    observe = Observe(interval=4.5, deadline=2.25, token_file="/t/{cluster}")
    assert parcel.setup_of(parcel.setup_blob(observe)) == observe
    hasty = observe.model_copy(update={"interval": 1.0})
    assert parcel.setup_of(parcel.setup_blob(hasty)) == hasty


@pytest.mark.parametrize("blob", [b"", b"1", b"[1, {}, 2]", b'[1, {"token": "x"}]', b'["x", {}]'])
def test_other_settings_are_refused(blob: bytes) -> None:
    with pytest.raises(parcel.Damaged, match="settings"):
        parcel.setup_of(blob)


@given(st.lists(st.binary(max_size=50), max_size=5, unique=True), st.none() | st.text("ab"))
def test_job_arrives_with_its_blobs(blobs: list[bytes], objects: str | None) -> None:
    named = {parcel.name_of(blob): blob for blob in blobs}
    sent = job(objects=objects)
    assert parcel.job_of(parcel.job_bytes(sent, named)) == (sent, named)


@given(st.binary(max_size=60), st.lists(NUMBERS, max_size=9), st.dictionaries(st.text("ab"), st.integers(0, 9)))
def test_report_arrives(observations: bytes, lags: list[float], skipped: dict[str, int]) -> None:
    report = parcel.Report((), Tally(9, skipped, 1, 2, tuple(lags)), observations)
    assert parcel.report_of(parcel.report_bytes(report)) == report


def test_report_says_why_there_is_nothing() -> None:
    assert parcel.report_of(parcel.report_bytes(parcel.Report(failed="another leader came"))).failed


def test_report_says_what_is_missing() -> None:
    assert parcel.report_of(parcel.report_bytes(parcel.Report(missing=("a", "b")))).missing == ("a", "b")


@pytest.mark.parametrize("data", [b"", b"xy", b"\x02\x00\x00\x00[]", b"\x02\x00\x00\x00{}", b"\xff\xff\xff\xff{}"])
def test_other_bytes_are_refused(data: bytes) -> None:
    for read in (parcel.job_of, parcel.report_of):
        with pytest.raises(parcel.Damaged):
            read(data)


def test_blob_that_is_not_what_it_is_named_after_is_refused() -> None:
    with pytest.raises(parcel.Damaged, match="does not hold"):
        parcel.job_of(parcel.job_bytes(job(), {parcel.name_of(b"a"): b"b"}))


@pytest.mark.parametrize(
    "blob", [b"", b"W", b"Nx", b'N["no such reason", ""]', parcel.rows_blob(Window(((1.0,),), "0" * 32))[:-1]]
)
def test_other_rows_are_refused(blob: bytes) -> None:
    with pytest.raises(parcel.Damaged):
        parcel.rows_of(blob)


def thing(namespace: str, **more: object) -> dict[str, object]:
    return {"metadata": {"namespace": namespace, "name": "x"}, "spec": {"large": "thing"}, **more}


def test_snapshot_carries_what_concerns_the_predictors_and_no_more() -> None:
    exposed, accounted = service("edge-00", route=ExposedRoute()), service("edge-01", account="poller")
    works = (thing("edge-00", status={"a": 1}), thing("edge-01"), thing("edge-99"))
    accounts = (thing("edge-00"), thing("edge-01", status={"b": 2}))
    kinds = {FEEDBACK_WORKS: works, SERVICE_ACCOUNTS: accounts, MANAGED_CLUSTERS: (thing("edge-00"),)}
    found = parcel.snapshot_of(parcel.objects_blob(Snapshot(NOW, kinds), [exposed, accounted]), NOW)
    assert found.objects == {
        FEEDBACK_WORKS: ({"metadata": {"namespace": "edge-00", "name": "x"}, "status": {"a": 1}},),
        SERVICE_ACCOUNTS: ({"metadata": {"namespace": "edge-01", "name": "x"}, "status": {"b": 2}},),
    }


def test_snapshot_says_what_could_not_be_read() -> None:
    blob = parcel.objects_blob(Snapshot(NOW, {}, {SERVICE_ACCOUNTS: "forbidden"}), [service(account="poller")])
    found = parcel.snapshot_of(blob, NOW)
    assert (found.of(SERVICE_ACCOUNTS), found.unread) == (None, {SERVICE_ACCOUNTS: "forbidden"})


@pytest.mark.parametrize("blob", [b"", b"[]", b'{"objects": {}}'])
def test_other_objects_are_refused(blob: bytes) -> None:
    with pytest.raises(parcel.Damaged):
        parcel.snapshot_of(blob, NOW)
