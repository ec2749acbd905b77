"""docs/operations.md against the code: every metric is documented as it is, and no other."""

from hubctl import metrics
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
