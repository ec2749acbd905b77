"""A process that may not write, writes nothing: no commit, no branch, no note."""

import pytest

from hubctl.errors import Fenced
from hubctl.publish import branch
from tests.publish.remotes import NOW, OPTIONS, Remote, fleet, wanted


async def nobody() -> None:
    raise Fenced("another one leads")


async def test_publish_asks_immediately_before_it_pushes_and_pushes_nothing_on_a_no(remote: Remote) -> None:
    repository = remote.repository()
    asked: list[int] = []

    async def asking() -> None:
        asked.append(remote.count() if asked else 0)
        if len(asked) == 2:
            await nobody()

    repository.permit = asking
    await branch.publish(repository, lambda _: wanted(fleet("a")), OPTIONS, now=NOW)
    tip = remote.tip()
    with pytest.raises(Fenced):
        await branch.publish(repository, lambda _: wanted(fleet("a", "b")), OPTIONS, now=NOW)
    assert (len(asked), remote.tip()) == (2, tip)
    assert await branch.publish(repository, lambda _: wanted(fleet("a")), OPTIONS, now=NOW) is None
    assert len(asked) == 2, "what changes nothing asks nobody"


async def test_permit_counts_for_notes_and_other_branches_too(remote: Remote) -> None:
    repository = remote.repository()
    await branch.publish(repository, lambda _: wanted(fleet("a")), OPTIONS, now=NOW)
    repository.permit = nobody
    with pytest.raises(Fenced):
        await repository.notebook.note(remote.tip(), "text", ("A", "a@example.com"))
    with pytest.raises(Fenced):
        await repository.on("other").push(remote.tip(), "")
    assert remote.count() == 1
