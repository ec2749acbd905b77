"""What is wrong is refused aloud: so the other tests here could fail."""

from collections.abc import Callable

import pytest

from tests.argo.installation import Installation, eventually
from tests.kube.variants import models, spoke

pytestmark = [pytest.mark.argo, pytest.mark.timeout(120, func_only=True)]

SET = "hubctl-kubernetes"

MISTAKES: dict[str, tuple[str, str]] = {
    'map has no entry for key "clustr"': ("{{ .cluster }}", "{{ .clustr }}"),
    "function \"clusters\" not defined": ("{{ .cluster }}", "{{ clusters }}"),
    'AppProject.argoproj.io "another" not found': ("project: hubctl-fleet", "project: another"),
    "there are no clusters with this name": ("name: '{{ .destination }}'", "name: '{{ .topology }}'"),
    "authentication required": (".git\n", "-gone.git\n"),
}  # fmt: skip


@pytest.mark.parametrize("message", MISTAKES)
def test_broken_applicationset_makes_nothing_and_says_why(generating: Installation, message: str) -> None:
    generating.register("east")
    generating.write({}, spoke("east", models=models("detector")))
    generating.publish()
    generating.apply_hub(broken(*MISTAKES[message]))
    said = eventually(lambda: generating.error(SET), bool)
    assert message in said
    assert generating.applications() == {}


def broken(right: str, wrong: str) -> Callable[[str], str]:
    """Makes a mistake in the ApplicationSet."""

    def change(document: str) -> str:
        if "kind: ApplicationSet" not in document:
            return document
        assert right in document
        return document.replace(right, wrong)

    return change


def test_spoke_that_argo_cd_does_not_know_is_named_and_holds_up_nobody(generating: Installation) -> None:
    generating.register("east")
    generating.begin({}, spoke("east", models=models("detector")), spoke("ghost", models=models("detector")))
    said = eventually(lambda: generating.error(SET), bool)
    assert "ghost" in said
    eventually(generating.applications, lambda found: set(found) == {"hubctl-east"})


def test_two_clusters_of_one_name_are_refused(generating: Installation) -> None:
    generating.register("east")
    generating.register("other", {"name": "east"})
    generating.begin({}, spoke("east", models=models("detector")))
    assert "there are 2 clusters with the same name" in eventually(lambda: generating.error(SET), bool)
