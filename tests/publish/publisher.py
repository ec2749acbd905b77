"""A program that publishes overrides of its own, one after the other: STATE REMOTE NAME TURNS [PAUSE_FILE].

Each render holds every override at the tip, so a writer that loses a race and does not render anew would undo the
other's. With a pause file, rendering makes that file and then waits to be killed.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository


def rendered(tip: tree.Published, name: str, pause: str = "") -> tree.Wanted:
    """The tip's overrides and one more, and a spoke for each."""
    if pause:
        Path(pause).touch()
        time.sleep(60)
    overrides = {**tip.overrides, f"{name}.yaml": name.encode()}
    files = {f"overrides/{file}": data for file, data in overrides.items()}
    spokes = {f"rendered/spokes/{file.removesuffix('.yaml')}/x.yaml": data for file, data in overrides.items()}
    return tree.Wanted({**files, **spokes}, ("rendered",), f"Publish {name}")


async def main(state: str, remote: str, name: str, turns: str, pause: str = "") -> None:
    """Publish as often as told."""
    repository = Repository(Path(state), remote, "main", patience=30)
    for turn in range(int(turns)):
        render = partial(rendered, name=f"{name}-{turn}", pause=pause)
        await branch.publish(repository, render, branch.PublishOptions(tries=20), now=datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
