"""Links resolve, the README stays short and names two set-up commands, lists of files and libraries are whole."""

import re
import tomllib

import pytest

from tests.docs import markdown

PYPROJECT = tomllib.loads((markdown.ROOT / "pyproject.toml").read_text())
README = markdown.page("README.md")


def libraries() -> set[str]:
    """Every library that pyproject.toml names, lower case, without versions."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    asked += [name for group in groups.values() for name in group if isinstance(name, str)]
    return {re.split(r"[<>=\[; ]", name)[0].lower() for name in asked}


def test_every_link_resolves(subtests: pytest.Subtests) -> None:
    for page in markdown.pages():
        for link in page.links():
            with subtests.test(page=page.path.name, link=link):
                if not link.startswith("https://"):
                    path, _, anchor = link.partition("#")
                    target = markdown.Page((page.path.parent / path).resolve() if path else page.path)
                    assert target.path.exists()
                    assert not anchor or anchor in target.anchors()


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), [README.path]
    while waiting:
        page = markdown.Page(waiting.pop())
        if page.path in found or page.path.suffix != ".md":
            continue
        found.add(page.path)
        links = (link.partition("#")[0] for link in page.links() if not link.startswith("https://"))
        waiting += [(page.path.parent / link).resolve() for link in links if link]
    assert {page.path.resolve() for page in markdown.pages()} == found


def test_readme_sets_up_with_exactly_two_commands() -> None:
    lines = [line.partition("#")[0].strip() for block in README.blocks("sh") for line in block.splitlines()]
    assert lines == ["make demo", "make test"]


def test_readme_is_short() -> None:
    assert len(README.text.splitlines()) <= 250


def test_commands_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (markdown.ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {name for page in markdown.pages() for name in re.findall(r"`make ([a-z0-9-]+)`", page.text)}
    assert {"demo", "test", "check", "format"} <= shown <= targets


def test_every_library_has_its_reason() -> None:
    listed = set()
    for row in markdown.page("docs/dependencies.md").rows("Dependencies"):
        names = re.sub(r"\*[^*]+:\*|\([^)]*\)", "", row[0])
        listed |= {name.strip().lower() for name in names.split(",")}
    assert libraries() == listed


def test_every_decision_is_listed() -> None:
    folder = markdown.ROOT / "docs" / "adr"
    expected = sorted(path.name for path in folder.glob("0*.md"))
    assert expected == markdown.page("docs/adr/README.md").links()


def test_decisions_say_their_number_and_status() -> None:
    for path in sorted((markdown.ROOT / "docs" / "adr").glob("0*.md")):
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        assert "\nStatus: " in text, path.name


def test_every_room_is_in_the_architecture() -> None:
    folder = markdown.ROOT / "hubctl"
    rooms = {f"hubctl/{path.name}/" for path in folder.iterdir() if (path / "__init__.py").exists()}
    rooms |= {f"hubctl/{path.name}" for path in folder.glob("*.py") if not path.name.startswith("__")}
    listed = markdown.page("docs/architecture.md").words("Rooms")
    assert rooms | {"hubctl/templates/"} == set(listed)
    assert len(listed) == len(set(listed))


def test_every_state_file_is_in_operations() -> None:
    text = markdown.page("docs/operations.md").section("The state folder")
    for name in ("hubctl.db", "hubctl.lock", "repository.git", "repository.lock"):
        assert f"`{name}`" in text


def test_changelog_has_an_unreleased_part() -> None:
    assert "## [Unreleased]" in markdown.page("CHANGELOG.md").text
