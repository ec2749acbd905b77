"""The platform's old values become new ones, and nothing else changes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs.document import parse
from hubctl.inputs.migrate import migrate
from tests.inputs.inputfolder import SPOKE, Folder

KSERVE = {
    "enabled": True,
    "namespace": "self-healing-platform",
    "services": {
        "anomaly_detector": "anomaly-detector-predictor",
        "predictive_analytics": "predictive-analytics-predictor",
    },
}


def large(sections: int = 130) -> str:
    """Some 800 lines of a pattern's values, with the old service in the middle and each habit of style."""
    found = ["# The hub of a pattern", "---", 'version: "4.18"', "on: yes"]
    for number in range(sections):
        if number == sections // 2:
            found += ["coordinationEngine:", "  enabled: true   # runs", "  # the old way"]
            found += [
                "  mlService:",
                "    enabled: true",
                '    url: "http://aiops-ml-service:8080"',
                "  replicas: 1",
                "",
            ]
        found += [f"# section {number}", f"section{number}:", f"    wide:   {number}  # note {number}"]
        found += ["    list:", "    - a", "    -   b: 'single'"]
    return "\n".join(found) + "\n"


def test_before_becomes_after_by_its_block_alone(data: Path) -> None:
    before = (data / "before.yaml").read_text()
    text, changes = migrate(before)
    block = (data / "after.yaml").read_text().partition("coordinationEngine:\n")[2].partition("\n\n")[0]
    old = '  mlService:\n    enabled: true\n    url: "http://aiops-ml-service:8080"'
    assert text == before.replace(old, block)
    assert [change.partition(" ")[0] for change in changes] == ["added", "removed"]


@pytest.mark.parametrize("name", ["after.yaml", "models.yaml", "chart.yaml"])
def test_new_values_of_each_spelling_stay(data: Path, name: str) -> None:
    text = (data / name).read_text()
    assert migrate(text) == (text, ())


def test_migrated_file_loads(folder: Folder, data: Path) -> None:
    folder.write("values-hub.yaml", migrate((data / "before.yaml").read_text())[0]).write("clusters/edge-a.yaml", SPOKE)
    assert folder.load().clusters[0].models[0].namespace == "self-healing-platform"


def test_hub_file_of_800_lines_keeps_every_other_line(folder: Folder) -> None:
    before = large()
    after, _ = migrate(before)
    assert before.count("\n") > 780
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert gone == ["  mlService:", '    url: "http://aiops-ml-service:8080"']
    folder.write("values-hub.yaml", after)
    assert folder.load().values.kserve.model_dump(include={*KSERVE}) == KSERVE


@pytest.mark.parametrize(
    "text",
    [
        "coordinationEngine: {mlService: {enabled: true, url: 'http://x'}}  # c\n# tail\n",
        "coordinationEngine: {\n  mlService: {enabled: true}  # c\n}\n# tail\n",
        "coordinationEngine:\n  mlService: {url: x}  # c\n# tail\n",
        "coordinationEngine:\n    mlService:  # c\n        url: x\n# tail",
        "coordinationEngine:\n  mlService: # c\n  # tail\n",
        "coordinationEngine:\n  kserve:\n  mlService: x # c\n  # tail\n",
        "# c\n# tail\na: 1\n",
        "coordinationEngine: {}  # c\n# tail\n",
        "coordinationEngine:\r\n  mlService:\r\n    url: x # c\r\n# tail\r\n",
    ],
)
def test_each_shape_of_the_old_block_migrates_with_its_comments(text: str) -> None:
    after, _ = migrate(text)
    assert parse(after, "x").data["coordinationEngine"] == {"kserve": KSERVE}
    assert re.findall(r"# \w+", after) == ["# c", "# tail"]
    assert migrate(after) == (after, ())


@pytest.mark.parametrize(
    "head",
    [
        "namespace: mine\n",
        "global:\n  namespace: mine\n",
        "main:\n  namespace: mine\nglobal:\n  namespace: other\n",
        "namespace: {create: false, name: mine}\n",
    ],
)
def test_namespace_of_the_file_is_used(head: str) -> None:
    assert parse(migrate(head)[0], "x").data["coordinationEngine"]["kserve"]["namespace"] == "mine"


def test_namespace_that_is_a_template_is_not_used() -> None:
    after = migrate("global:\n  namespace: '{{ .Values.x }}'\n")[0]
    assert parse(after, "x").data["coordinationEngine"]["kserve"]["namespace"] == "self-healing-platform"


def test_service_that_was_switched_off_stays_off() -> None:
    after = migrate("coordinationEngine:\n  mlService:\n    enabled: false\n")[0]
    assert parse(after, "x").data["coordinationEngine"]["kserve"]["enabled"] is False


def test_ml_service_elsewhere_is_left_alone() -> None:
    text = "other:\n  mlService:\n    url: x\ncoordinationEngine:\n  kserve: {enabled: true}\n"
    assert migrate(text) == (text, ())


def test_anchor_in_the_old_block_is_not_torn_off() -> None:
    text = "coordinationEngine:\n  mlService:\n    url: &u http://x\nother: *u\n"
    assert parse(migrate(text)[0], "x").data["other"] == "http://x"


def test_mapping_that_another_merges_is_left_to_a_person() -> None:
    text = "coordinationEngine: &engine\n  mlService: {url: x}\nother:\n  <<: *engine\n"
    with pytest.raises(InputError, match=r"cannot change coordinationEngine\.kserve") as caught:
        migrate(text)
    assert caught.value.where == "values-hub.yaml:1 coordinationEngine.kserve"
    assert "by hand" in caught.value.hint


def test_engine_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(InputError, match="found 'x', expected a mapping"):
        migrate("coordinationEngine: x\n")


@given(st.text(alphabet="ab:-[]{}&*#'\"\n 0coordinationEngine", max_size=40))
def test_arbitrary_text_migrates_once_or_is_refused(junk: str) -> None:
    where = "values-hub.yaml"
    again: tuple[str, ...] = ()
    try:
        after, _ = migrate(f"coordinationEngine:\n  mlService: {{}}\n{junk}\n")
        again = migrate(after)[1]
    except InputError as error:
        where = error.where
    assert where.startswith("values-hub.yaml")
    assert again == ()
