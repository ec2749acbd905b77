"""How many files this process may hold open: each kept connection is one.

The usual limit of 1,024 is for programs that call ``select``; a thousand spokes with a kept connection each pass it,
and would then look unreachable. The hard limit is the administrator's and stays.
"""

import contextlib
import resource

ENOUGH = 65_536
"""Open files that we ask for where the hard limit allows them."""


def raise_open_files() -> int:
    """Lift the soft limit on open files towards the hard one; the limit that then holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # some systems have a lower one of their own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def most_idle() -> int:
    """How many connections may be kept while nothing is asked over them: three quarters of the files."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] * 3 // 4
