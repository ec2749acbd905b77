"""What an explanation names changes the value, and what it does not name leaves it: tried on random fleets.

The trying goes through files and all their checks, and another value is one of this test's own, so that nothing of what
found the explanation is taken for granted.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hubctl.errors import HubctlError
from hubctl.explanation.evidence import Proof
from hubctl.explanation.file import explain_file
from hubctl.explanation.found import Explanation
from hubctl.render import leaves
from hubctl.render.leaves import GONE, Trail
from hubctl.render.templates import Templates, load_templates
from hubctl.settings import Settings
from tests.effort import times
from tests.explanation.explainedfleets import (
    Files,
    edited,
    fleets,
    opened,
    rendered,
    scalars,
    trail_of,
    words_for,
    write,
)

bounded = settings(max_examples=times(5, 12), deadline=None, suppress_health_check=list(HealthCheck))
TEMPLATES = load_templates(None)


def named(found: Explanation, trail: Trail) -> list[Proof]:
    """Every input that is named for a value, those of its object included."""
    return [
        proof for leaf in found.leaves if leaf.trail == trail for proof in (*leaf.origins, *found.because[trail[0]])
    ]


def what_changes(folder: Settings, before: list[Any], path: str, templates: Templates) -> dict[Trail, Any] | None:
    """The values of a file that are others now; None when the inputs are refused."""
    try:
        after = rendered(folder, templates).get(path)
    except HubctlError:
        return None
    if after is None:
        return dict.fromkeys(dict(leaves.leaves(before)), GONE)
    return leaves.changed(before, after)


def explained(folder: Path, files: Files, data: st.DataObject) -> tuple[Settings, str, list[Any], Explanation]:
    where = write(folder, files)
    try:
        made = rendered(where, TEMPLATES)
    except HubctlError:
        assume(False)
    path = data.draw(st.sampled_from(sorted(made)), label="path")
    found = explain_file(opened(where), path)
    assert found is not None
    return where, path, made[path], found


@given(files=fleets(), data=st.data())
@bounded
def test_every_value_is_explained_and_what_is_named_changes_it(files: Files, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        where, path, documents, found = explained(Path(scratch), files, data)
        assert list(found.documents) == documents
        assert {leaf.trail: leaf.value for leaf in found.leaves} == dict(leaves.leaves(documents))
        assert all(leaf.origins and leaf.line and leaf.line.number for leaf in found.leaves)
        for leaf in found.leaves:
            for proof in leaf.origins:
                if proof.place.kind != "file" or proof.together or proof.tried in (None, "(section)"):
                    continue
                place = proof.place
                write(where.directory, edited(files, place.file, trail_of(place.field), proof.tried))
                changed = what_changes(where, documents, path, TEMPLATES)
                moved = proof.place.field.endswith("name")
                assert changed is None or moved or leaf.trail in changed, (leaf.trail, place.text, proof)
        write(where.directory, files)


@given(files=fleets(), data=st.data())
@bounded
def test_what_is_not_named_leaves_the_value_as_it_is(files: Files, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        where, path, documents, found = explained(Path(scratch), files, data)
        places = [
            (name, trail, word)
            for name, content in files.items()
            for trail, value in scalars(content)
            for word in words_for(trail)
            if word != value
            # A platform's file is called after it: with another one it is another file, not another value.
            if not (trail == ("spec", "platform") and path.startswith("hub/applicationset-"))
        ]
        for name, trail, word in data.draw(st.lists(st.sampled_from(places), max_size=25, unique_by=str)):
            write(where.directory, edited(files, name, trail, word))
            for value in what_changes(where, documents, path, TEMPLATES) or {}:
                origins = {(proof.place.file, trail_of(proof.place.field)) for proof in named(found, value)}
                assert (name, trail) in origins, (path, value, name, trail, word)
