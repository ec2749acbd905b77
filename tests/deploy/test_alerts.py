"""The alerts of deploy/ ask for metrics that hubctl has."""

import re
from pathlib import Path

from hubctl import metrics

MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "components" / "monitoring"


def test_alerts_ask_for_metrics_that_there_are() -> None:
    texts = [path.read_text() for path in MONITORING.glob("*.yaml")]
    asked = {name for text in texts for name in re.findall(r"hubctl_[a-z_]+", text)}
    assert asked
    assert asked <= {metric.name for metric in metrics.METRICS}
