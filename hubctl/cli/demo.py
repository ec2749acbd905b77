"""``demo``: the whole loop on this machine."""

import asyncio
import contextlib
import importlib.util
import tempfile
from pathlib import Path

import click

from hubctl.errors import InputError


@click.command()
@click.option("--keep", is_flag=True, help="Leave the fleet up until Ctrl-C, for playing with it.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Where [default: a new temporary folder]."
)
def demo(keep: bool, folder: Path | None) -> None:
    """Run the whole loop on real model servers, here: four spokes, a Git remote, SQLite.

    A bad model version is rolled out to two spokes while a third one's nodes break; hubctl tells the two apart, rolls
    the model back by a commit and closes the incidents. Takes a minute or two, leaves nothing running, keeps the files.

    \b
    Example:
      hubctl demo --keep
    """
    if missing := [name for name in ("kserve", "sklearn", "joblib") if importlib.util.find_spec(name) is None]:
        raise InputError(
            f"the demo needs {', '.join(missing)}",
            hint="install it with its extra: pip install 'hubctl[demo]'",
        )
    from hubctl.demo import story  # noqa: PLC0415 - needs the extra

    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty", hint="choose a new folder")
    home = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="hubctl-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    # Ctrl-C is how a fleet that was kept ends; in the middle of a story it is an abort, as in any command.
    with contextlib.suppress(KeyboardInterrupt) if keep else contextlib.nullcontext():
        asyncio.run(story.play(home, click.echo, keep=keep))
