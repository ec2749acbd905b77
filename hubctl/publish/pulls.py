"""Pulls: what is wanted as one commit on a head branch and one open pull request, written only when something is new.

The counterpart of ``branch``, which writes to the published branch itself. Everything is read back from the remote and
the forge each time, so a process that dies anywhere is simply run again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hubctl.errors import GuardRefused, RemoteFailed
from hubctl.model import tree
from hubctl.publish import branch, changes, head, proposal, review, stream
from hubctl.publish.dialects import Pull
from hubctl.publish.forge import AlreadyThereError, Forge
from hubctl.publish.repository import Repository

_ACTION = re.compile(r"rem-[0-9a-f]+")
"""A remediation's id, as its branch ends; any other branch is somebody's."""


class Outcome(StrEnum):
    """What came of it; public words."""

    NOTHING = "nothing"
    PLANNED = "planned"
    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A pull request, or why there is none.

    Attributes:
        outcome: ``nothing``: the published branch already holds it; ``planned``: a dry run; ``declined``: a person
            closed a pull request for just this; ``withdrawn``: nothing is left to change, so it was closed.
        commit: tip of the head branch; empty unless there is an open pull request.
        old: bytes that stand now where the published branch would change.
        pull: the pull request that this is about, if there is one.
        letter: its title and text, as they would be written now.
    """

    outcome: Outcome
    changes: changes.Changes
    old: Mapping[str, bytes]
    commit: str = ""
    pull: Pull | None = None
    letter: proposal.Letter | None = None


async def propose(
    repository: Repository,
    forge: Forge,
    wanted_on: branch.Rendering,
    options: branch.PublishOptions,
    *,
    now: datetime,
    titled: bool = False,
) -> Proposed:
    """Bring the head branch and its pull request to what is wanted of the published branch.

    Args:
        repository: the published branch.
        forge: the pull requests from the head branch into it.
        wanted_on: renders for a tip of the published branch.
        options: how.
        now: aware; the commit's date.
        titled: the message is a person's, so that a pull request which says the same gets it too.

    Raises:
        PublishConflict: beaten each time, or another hubctl holds the lock.
        RemoteFailed: the remote or the forge refused or did not answer.
        GuardRefused: more spokes would go than allowed, or the head branch holds commits of others.
    """
    async for attempt in branch.races(options):
        with attempt:
            return await _Turn(repository, forge, options, now).taken(wanted_on, titled=titled)
    raise AssertionError("stamina raises the last error")  # pragma: no cover


async def open_one(forge: Forge) -> Pull | None:
    """The open pull request from the head branch, if there is one."""
    return next(iter(await forge.find(is_open=True)), None)


async def tidy(repository: Repository, forge: Forge, keep: frozenset[str]) -> None:
    """Close the pull requests of remediations that are over, and take their branches away; those of others stay.

    Args:
        repository: the published branch, fetched.
        forge: that of the whole fleet.
        keep: ids of remediations that still wait.

    Raises:
        RemoteFailed: the remote or the forge refused or did not answer.
    """
    start = f"{forge.ends.head}-"
    for name in await head.branches(repository, f"{start}rem-"):
        action_id = name.removeprefix(start)
        if action_id in keep or not _ACTION.fullmatch(action_id):
            continue
        its, on_head = forge.of_action(action_id), await head.read_head(repository, name, await repository.known())
        if on_head.strangers:
            continue
        pull = await open_one(its)
        if pull is not None and proposal.is_ours(pull.text):
            reason = f"Closed by hubctl: remediation {action_id} is over."
            await its.close(pull, proposal.withdrawn(pull.text), reason)
        await head.delete(repository, name, on_head.tip)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One try."""

    repository: Repository
    forge: Forge
    options: branch.PublishOptions
    now: datetime

    async def taken(self, wanted_on: branch.Rendering, *, titled: bool) -> Proposed:
        seen = await branch.compared(self.repository, wanted_on, self.options)
        if not seen.tip.commit:
            raise RemoteFailed(
                f"the branch {self.forge.ends.base} does not exist, and a pull request needs one to go into",
                hint=f"push a first commit to {self.forge.ends.base}, a README for instance",
            )
        so_far = Proposed(Outcome.NOTHING, seen.found, await branch.replaced(self.repository, seen))
        pull = await open_one(self.forge)
        if seen.found.empty:
            return await self._withdrawn(so_far, pull, seen.tip.commit)
        changes.check_brake(seen.found, self.options.removal_limit, self.options.confirmed)
        named = proposal.digest(proposal.moves(seen.found, seen.listed, seen.object_format))
        on_head = await self._head(seen.tip.commit)
        if on_head.strangers:
            raise self._not_ours(on_head, pull)
        if pull is None and (no := await self._declined(named)):
            return replace(so_far, outcome=Outcome.DECLINED, pull=no)
        wanted = replace(seen.wanted, trailers=(*seen.wanted.trailers, (proposal.TRAILER, named)))
        kept = on_head.proposal == named and (not titled or on_head.subject == seen.wanted.subject)
        if not titled and on_head.subject and (kept or pull):
            wanted = replace(wanted, subject=on_head.subject)
        letter = self._letter(wanted, so_far)
        if pull is not None and not titled:
            letter = replace(letter, title=pull.title)
        if self.options.dry_run:
            return replace(so_far, outcome=Outcome.PLANNED, pull=pull, letter=letter)
        commit = on_head.tip if kept else await self._pushed(seen, wanted, on_head.tip)
        told = replace(so_far, commit=commit, letter=letter)
        if pull is not None and kept and proposal.names(pull.text, named):
            return replace(told, outcome=Outcome.UNCHANGED, pull=pull)
        return await self._told(told, pull, letter)

    async def _head(self, base: str) -> head.Head:
        async with self.repository.turn:
            return await head.read_head(self.repository, self.forge.ends.head, base)

    async def _declined(self, named: str) -> Pull | None:
        closed = (pull for pull in await self.forge.find(is_open=False) if pull.state == "closed")
        return next((pull for pull in closed if proposal.names(pull.text, named)), None)

    async def _withdrawn(self, so_far: Proposed, pull: Pull | None, base: str) -> Proposed:
        """Close a pull request of ours that has nothing left to change; one that others work on is left to them."""
        if pull is None or not proposal.is_ours(pull.text) or self.options.dry_run:
            return replace(so_far, pull=pull)
        if (await self._head(base)).strangers:
            return replace(so_far, pull=pull)
        reason = f"Closed by hubctl: {self.forge.ends.base} already holds what the inputs say now."
        await self.forge.close(pull, proposal.withdrawn(pull.text), reason)
        return replace(so_far, outcome=Outcome.WITHDRAWN, pull=pull)

    async def _pushed(self, seen: branch.Compared, wanted: tree.Wanted, before: str) -> str:
        """The head branch moved from ``before`` to one commit on the published tip; its id."""
        text = changes.message(wanted, seen.found, self.options.version)
        author = (self.options.author_name, self.options.author_email)
        draft = stream.Draft(seen.tip.commit, seen.found.writes, seen.found.removed, text, author, self.now)
        on_head = self.repository.on(self.forge.ends.head)
        async with self.repository.turn:
            made = await on_head.write(draft)
            if not await on_head.push(made, before):
                raise branch.Beaten(
                    f"the branch {self.forge.ends.head} moved during each of {self.options.tries} tries",
                    hint="look with `git log` who else writes to it, then run `hubctl publish` again",
                )
        return made

    async def _told(self, told: Proposed, pull: Pull | None, letter: proposal.Letter) -> Proposed:
        """The pull request opened, or changed where there is one."""
        if pull is None:
            try:
                made = await self.forge.open(letter.title, letter.text)
            except AlreadyThereError as error:
                # Another hubctl, or an answer that was lost.
                pull = await open_one(self.forge)
                if pull is None:
                    raise error from None
            else:
                return replace(told, outcome=Outcome.OPENED, pull=made)
        await self.forge.change(pull, letter.title, letter.text)
        now = replace(pull, title=letter.title, text=letter.text)
        return replace(told, outcome=Outcome.UPDATED, pull=now)

    def _letter(self, wanted: tree.Wanted, so_far: Proposed) -> proposal.Letter:
        read = review.read(so_far.changes, so_far.old, self.options.spokes)
        trailers = (("Hubctl-Version", self.options.version), *wanted.trailers)
        return proposal.letter(wanted, read, trailers, self.forge.place.forge)

    def _not_ours(self, on_head: head.Head, pull: Pull | None) -> GuardRefused:
        known = "; ".join(review.plain(one) for one in on_head.strangers[:3])
        also = f" and {len(on_head.strangers) - 3} more" if len(on_head.strangers) > 3 else ""  # noqa: PLR2004 - as above
        where = f" ({pull.url})" if pull else ""
        name = self.forge.ends.head
        return GuardRefused(
            f"the branch {name}{where} holds commits that hubctl did not write: {known}{also}",
            hint=f"merge or close the pull request, keep those commits on another branch and delete {name}; then run "
            "it again",
        )
