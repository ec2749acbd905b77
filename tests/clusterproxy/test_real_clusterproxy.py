"""The real user-server of the cluster-proxy does what the table says that its stand-in is held to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusterproxy.inside import HOST
from tests.observe.proxycases import CASES

pytestmark = [pytest.mark.clusterproxy, pytest.mark.timeout(300, func_only=True)]
LAST_HOP = {"another ca", "nobody listens"}
"""Said by the real service-proxy, which does not run here."""


def test_real_user_server_takes_requests_apart_as_the_table_says(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
    alone = f"cd {tmp_path} && ip link set lo up && mount --bind hosts /etc/hosts"
    script = f"{alone} && exec {sys.executable} -m tests.clusterproxy.inside {programs}"
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        ["unshare", "-rmn", "sh", "-c", script],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, (status, body, arrived) in json.loads(done.stdout).items():
        wanted = CASES[name]
        if name not in LAST_HOP:
            assert (status, wanted.text in body) == (wanted.status, True), name
        if wanted.arrives:
            assert arrived == [wanted.arrives], name
