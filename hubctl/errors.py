"""Errors by reaction: one class for each thing a caller can do about it.

Raised anywhere, caught in three places only: the command line turns them into a line, a hint and an exit code,
the controller into a condition. This module imports nothing, so every room may use it.
"""

from collections.abc import Sequence


class HubctlError(Exception):
    """A failure that a person can act on; ``message`` says what, ``hint`` what to do next, ``where`` the place.

    Attributes:
        also: further errors found in the same run, so that one look shows all of them.
        exit_code: what the command line exits with.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", where: str = "", also: Sequence["HubctlError"] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.also = tuple(also)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(HubctlError):
    """A file or flag is wrong; never retried. ``where`` is ``file:line field``."""

    exit_code = 2


class TemplateError(HubctlError):
    """A template failed; never retried. ``where`` is ``template:line (spoke NAME)``."""

    exit_code = 2


class PublishConflict(HubctlError):  # noqa: N818 - named after the reaction: fetch, render, try again
    """Another writer moved the branch each time we tried; fetch, render and try again later."""


class RemoteFailed(HubctlError):  # noqa: N818 - named after the reaction: wait for the remote part
    """A remote part (Git remote, webhook, predictor) refused or did not answer; later may be better."""


class StoreUnavailable(HubctlError):  # noqa: N818 - named after the reaction: back off, skip the pass
    """The store cannot be opened or written; the pass is skipped."""


class GuardRefused(HubctlError):  # noqa: N818 - named after the reaction: ask a human
    """A guard said no; a human is asked. ``message`` names every guard that refused."""

    exit_code = 4


class Held(HubctlError):  # noqa: N818 - named after the reaction: wait until a person lets it go on
    """A person stopped or paused this; it is tried again once that is lifted."""

    exit_code = 4


class Overrun(HubctlError):  # noqa: N818 - named after the reaction: ask less of it, or give it more
    """hubctl has more to do than it can in the time; what it left out is counted."""


class Fenced(HubctlError):  # noqa: N818 - named after the reaction: stop; another one leads
    """This process may not act, or no longer; its pass ends, and whoever leads goes on from what is stored."""

    exit_code = 4


class ManifestRefused(HubctlError):  # noqa: N818 - named after the reaction: mend what made the manifest
    """A rendered object is not what its kind's schema allows; never retried. ``where`` is ``file KIND NAME field``."""

    exit_code = 2
