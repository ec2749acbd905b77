"""The whole command line against a Git server behind HTTPS; every run is checked for the secret on the screen."""

from collections.abc import Iterator

import pytest
import trustme

from tests.e2e.world import SECRET, SPOKES, World, git
from tests.publish import httpsgit


@pytest.fixture
def served(fresh: World) -> Iterator[httpsgit.HttpsGit]:
    """The fleet's remote behind HTTPS, with a token in the file ``token``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(fresh.fleet / "ca.pem"))
    git(fresh.remote, "config", "http.receivepack", "true")
    with httpsgit.serving(fresh.home, authority) as server:
        server.user, server.password = "x-access-token", SECRET
        credentials = {"tokenFile": "token", "caFile": "ca.pem"}
        fresh.edit_values(lambda hubctl: hubctl["gitops"].update(remote=server.url(), credentials=credentials))
        yield server


def test_fleet_is_published_over_https(fresh: World, served: httpsgit.HttpsGit) -> None:
    assert served.port
    assert "branch main does not exist yet" in fresh.inside("doctor", "--no-poll").out
    made = fresh.hubctl("publish", "-o", "json").json
    assert (made["commit"], made["spokes"]["added"]) == (fresh.tip(), list(SPOKES))
    assert len(fresh.inside("why", "north", "-o", "json").json["commits"]) == 1


def test_token_that_is_refused_ends_in_advice_and_the_pass_goes_on(fresh: World, served: httpsgit.HttpsGit) -> None:
    fresh.inside("publish")
    served.password = "another"
    assert "hubctl.gitops.credentials" in fresh.inside("publish", expect=3).err
    assert "Authentication failed" in fresh.inside("doctor", "--no-poll", expect=3).out
    made = fresh.reconcile(expect=3)
    assert "Authentication failed" in made["problems"][0]
    assert {seen["outcome"] for seen in made["observations"]} == {"ok"}


def test_variable_without_credentials_of_its_own_uses_the_fleets(fresh: World, served: httpsgit.HttpsGit) -> None:
    fresh.edit_values(lambda hubctl: hubctl["gitops"].update(remote="https://127.0.0.1:1/nowhere.git"))
    fresh.hubctl("publish", HUBCTL_REMOTE=served.url())
    assert fresh.count() == 1
