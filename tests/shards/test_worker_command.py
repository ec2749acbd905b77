import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubctl import engines
from hubctl.cli.main import run
from hubctl.errors import InputError, RemoteFailed
from hubctl.model.scaling import EngineSection, EngineTls
from hubctl.model.values import Observe
from hubctl.settings import Settings
from hubctl.shards import address, serving


def test_help_of_what_may_need_dask_does_not_load_it() -> None:
    code = "import sys; from hubctl.cli.main import run; run(['worker', '--help']); run(['run', '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"],
        capture_output=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    assert b"--scheduler" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scheduler", "nowhere"], "expected dask://HOST:PORT"),
        (["--scheduler", "tls://a:1"], "needs a CA"),
        (["--scheduler", "dask://a:1", "--ca-file", "x"], "go together"),
    ],
)
def test_worker_that_cannot_be_is_refused_at_once(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["worker", *arguments]) == 2
    assert said in capsys.readouterr().err


async def test_worker_that_finds_no_scheduler_ends(tmp_path: Path) -> None:
    where = address.address_of("dask://127.0.0.1:1", None, "")
    with pytest.raises(RemoteFailed, match="no place with the Dask scheduler"):
        await serving.worked(Settings(tmp_path, tmp_path), {}, where, serving.Place(patience=0.2))


async def test_worker_whose_certificate_is_missing_says_which(tmp_path: Path) -> None:
    files = EngineTls(ca_file="ca.crt", cert_file="tls.crt", key_file="tls.key")
    with pytest.raises(InputError, match=r"there is no file .*ca\.crt"):
        await serving.worked(Settings(tmp_path, tmp_path), {}, address.Address("tls://a:1", files), serving.Place())


@pytest.mark.parametrize(
    ("flag", "url", "on_workers"),
    [("", None, False), ("process", None, False), ("process", "dask://a:1", False), ("", "dask://a:1", True)],
)
def test_polls_are_made_where_the_flag_says_else_the_values(flag: str, url: str | None, on_workers: bool) -> None:  # noqa: FBT001 - a parameter
    assert engines.elsewhere(flag, EngineSection(url=url)) is on_workers


def test_engine_of_a_process_that_stays_is_checked_before_it_is_opened(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, engine="dask://scheduler:8786")
    with pytest.raises(InputError, match="could take it"):
        engines.scheduler(settings, EngineSection(), Observe(token_env="TOKEN"))
    assert engines.scheduler(Settings(tmp_path, tmp_path), EngineSection(), Observe(token_env="TOKEN")) is None
