"""docs/operations.md against the code: every metric, condition and Event is documented, and no other."""

import re

from hubctl import metrics
from hubctl.report import conditions
from tests.docs import markdown

PAGE = markdown.page("docs/operations.md")


def test_every_metric_is_documented_as_it_is_and_no_other() -> None:
    documented = [[name, kind, labels.replace("`", ""), text] for name, kind, labels, text in PAGE.rows("Metrics")]
    expected = [[one.name, str(one.kind), ", ".join(one.labels) or "-", one.help] for one in metrics.METRICS]
    assert documented == expected


def test_metrics_are_named_as_prometheus_asks() -> None:
    for one in metrics.METRICS:
        assert one.name.startswith("hubctl_")
        assert one.name.endswith("_total") == (one.kind is metrics.Kind.COUNTER)
        assert one.help.endswith(".")


def test_every_condition_is_documented_and_no_other() -> None:
    assert list(conditions.TYPES) == PAGE.words("Conditions")


def test_every_reason_of_an_event_is_documented_and_no_other() -> None:
    source = (markdown.ROOT / "hubctl" / "report" / "notices.py").read_text()
    said = set(re.findall(r'"((?:Pass|Configuration|Incident)[A-Z]\w+)"', source)) | {"RemediationSTATE"}
    assert said == set(PAGE.words("Events"))
