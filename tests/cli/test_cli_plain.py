"""Whatever command meets a plain credential: it is not on the screen, not in JSON, and there is no traceback."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubctl.cli import main
from tests.effort import times
from tests.inputs.inputfolder import SPOKE, VALUES
from tests.inputs.tokens import KEYS, PEM, SHAPED, secret_part, word

COMMANDS = (
    ("validate",), ("validate", "-o", "json"), ("render",), ("render", "--cluster", "edge-a"), ("migrate",),
    ("clusters", "list"), ("clusters", "show", "edge-a", "-o", "yaml"), ("models", "list", "-o", "json"),
    ("models", "register", "disk", "--dry-run"), ("models", "set-version", "anomaly-detector", "v9", "--dry-run"),
    ("clusters", "add", "b", "--dry-run"), ("clusters", "import", "--kubeconfig", "values-hub.yaml"), ("diff",),
    ("publish", "--dry-run"), ("status",), ("doctor",),
)  # fmt: skip
OLD = 'coordinationEngine:\n  mlService:\n    enabled: true\n    url: "http://aiops-ml-service:8080"\n'
TEMPLATE = """\
[% from "provenance.j2" import labels %]
apiVersion: v1
kind: ConfigMap
metadata:
  name: extra
[[ labels() -]]
data:
  KEY: VALUE
"""


def put(folder: Path, place: str, key: str, token: str) -> None:
    """A fleet with a credential in one of its files."""
    for name in ("clusters", "templates/spoke"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    line = yaml.safe_dump({key: token}, width=9999)
    hub, spoke, template = VALUES, SPOKE, ""
    if place == "beside the engine":
        hub = f"{line}{OLD}{yaml.safe_dump({'again': {key: token}}, width=9999)}"
    elif place == "in ours":
        hub = f"{VALUES}hubctl:\n  observe:\n" + "".join(f"    {each}\n" for each in line.splitlines())
    elif place == "in a spoke":
        spoke = SPOKE.replace(
            "spec:", "  annotations:\n" + "".join(f"    {each}\n" for each in line.splitlines()) + "spec:"
        )
    elif place == "in a template":
        template = TEMPLATE.replace("KEY", key).replace("VALUE", yaml.safe_dump(token, width=9999).split("\n...")[0])
    else:
        hub = f"{line[:-1]}: {{\n{VALUES}"
    (folder / "values-hub.yaml").write_text(hub)
    (folder / "clusters" / "edge-a.yaml").write_text(spoke)
    (folder / "templates" / "spoke" / "extra.yaml.j2").write_text(template)


PLACES = ("beside the engine", "in ours", "in a spoke", "in a template", "in no YAML")


@given(
    place=st.sampled_from(PLACES),
    command=st.sampled_from(COMMANDS),
    key=st.sampled_from(KEYS),
    token=SHAPED | PEM | word(16).map(lambda text: f"0{text}"),
)
@settings(max_examples=times(60, 150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_shows_a_credential(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    place: str,
    command: tuple[str, ...],
    key: str,
    token: str,
) -> None:
    put(tmp_path, place, key, token)
    monkeypatch.chdir(tmp_path)
    main.run(["-C", str(tmp_path), *command])
    shown = "".join(capfd.readouterr())
    assert secret_part(token) not in shown, (place, command, shown)
    assert "Traceback" not in shown


def test_migration_shows_its_change_without_what_stands_around(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "beside the engine", "adminPassword", "hunter22")
    assert main.run(["-C", str(tmp_path), "migrate"]) == 1
    shown = capsys.readouterr().out
    assert " adminPassword: ***" in shown
    assert "+  kserve:" in shown
    assert main.run(["-C", str(tmp_path), "migrate", "--write"]) == 0
    assert "adminPassword: hunter22" in (tmp_path / "values-hub.yaml").read_text()
