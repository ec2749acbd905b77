"""What becomes of a server whose parent is killed."""

import asyncio
import signal
import sys

from hubctl.demo import servers


async def port_is_given_back(code: str, *arguments: str, seconds: float) -> bool:
    """Whether a server lets go of its port within so many seconds after its parent was killed.

    Args:
        code: of the parent, which starts the server and prints its port.
        arguments: of the parent.
        seconds: to wait.
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    port = int(await parent.stdout.readline())
    assert not servers.port_is_free(port)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    for _ in range(int(seconds / 0.05)):
        if servers.port_is_free(port):
            return True
        await asyncio.sleep(0.05)
    return False
