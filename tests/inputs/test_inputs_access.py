"""Access to spokes: what cannot be is refused, what nothing reads is warned about, groups and spokes have their say."""

import pytest

from tests.inputs.inputfolder import SPOKE, VALUES, Folder

TOKENS = "hubctl: {observe: {tokenFile: 'tokens/{cluster}'}}\n"
OWN = SPOKE + "  access: {token: {}}\n"


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("{token: {agentNamespace: a}}", "a ClusterPermission finds the ServiceAccount itself"),
        ("{token: {grant: clusterpermission}}", "expected clusterPermission or manifestWork"),
        ("{token: {validity: 30d}}", "expected hours, such as 720h"),
        ("{token: {validity: 0h}}", "expected hours, such as 720h"),
        ("{token: true}", "expected a mapping"),
        ("{feedback: {}}", "expected true or false"),
    ],
)
def test_access_that_cannot_be_is_refused(folder: Folder, access: str, message: str) -> None:
    folder.write("clusters/edge-a.yaml", f"{SPOKE}  access: {access}\n")
    (problem,) = folder.problems()
    assert message in problem.message


def test_misspelt_key_gets_a_suggestion(folder: Folder) -> None:
    (problem,) = folder.write("clusters/edge-a.yaml", f"{SPOKE}  access: {{feedbacks: true}}\n").problems()
    assert "did you mean feedback?" in problem.hint
    folder.write("clusters/edge-a.yaml", SPOKE)
    (problem,) = folder.write("values-hub.yaml", f"{VALUES}hubctl: {{clusterproxy: {{}}}}\n").problems()
    assert "did you mean clusterProxy?" in problem.hint


def test_spoke_that_can_have_no_namespace_on_the_hub_is_refused(folder: Folder) -> None:
    (folder.root / "clusters" / "edge-a.yaml").unlink()
    groups = "hubctl: {observe: {tokenFile: '{cluster}'}, groups: [{name: all, match: {}, access: {feedback: true}}]}\n"
    folder.write("values-hub.yaml", VALUES + groups)
    dotted = SPOKE.replace("name: edge-a", "name: edge.a")
    (problem,) = folder.write("clusters/edge.a.yaml", dotted).problems()
    assert "holds no dot, expected no access on a spoke named 'edge.a'" in problem.message
    assert problem.hint == "take it back here with access: {}; these groups count here: all"
    folder.write("clusters/edge.a.yaml", f"{dotted}  access: {{}}\n")
    assert folder.load().clusters[0].name == "edge.a"


@pytest.mark.parametrize(
    ("observe", "told"),
    [
        ("", ""),
        ("managedServiceAccount: fleet-poller", ""),
        ("tokenFile: 'tokens/{cluster}'", ""),
        ("tokenFile: token", "hubctl.observe.tokenFile names one file for all spokes"),
        ("tokenEnv: TOKEN", "hubctl.observe.tokenEnv names one variable for all spokes"),
    ],
)
def test_token_of_a_spoke_is_warned_about_where_polls_take_another(folder: Folder, observe: str, told: str) -> None:
    folder.write("clusters/edge-a.yaml", OWN).write("values-hub.yaml", f"{VALUES}hubctl: {{observe: {{{observe}}}}}\n")
    found = [warning for warning in folder.load().warnings if "access.token" in warning]
    expected = f"clusters/edge-a.yaml:11 spec.access.token is not read: {told}, so no poll takes a spoke's own token"
    assert found == ([expected] if told else [])


def test_token_that_a_group_asks_for_is_warned_about_too(folder: Folder) -> None:
    groups = "groups: [{name: all, match: {}, access: {token: {}}}]"
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{observe: {{tokenEnv: TOKEN}}, {groups}}}\n")
    assert any("hubctl.groups 'all' access.token is not read" in warning for warning in folder.load().warnings)


@pytest.mark.parametrize(
    ("observe", "spoke", "account"),
    [
        ("", SPOKE, ""),
        ("", OWN, "hubctl-poller"),
        ("managedServiceAccount: other", SPOKE, "other"),
        ("managedServiceAccount: other", OWN, "hubctl-poller"),
        ("tokenFile: 'tokens/{cluster}'", OWN, ""),
        ("tokenEnv: TOKEN", OWN, ""),
    ],
)
def test_account_of_a_spoke_gives_the_token_unless_a_file_or_variable_does(
    folder: Folder, observe: str, spoke: str, account: str
) -> None:
    folder.write("clusters/edge-a.yaml", spoke).write(
        "values-hub.yaml", f"{VALUES}hubctl: {{observe: {{{observe}}}}}\n"
    )
    assert folder.load().clusters[0].models[0].account == account


@pytest.mark.parametrize(
    ("route", "warned"),
    [
        ("{type: url, url: 'http://x.example'}", 1),
        ("[{type: acm}, {type: url, url: 'http://x.example'}]", 1),
        ("{type: service, scheme: http}", 1),
        ("{type: acm, scheme: http}", 0),
        ("{type: route}", 0),
    ],
)
def test_token_that_would_leave_the_hub_in_clear_is_warned_about(folder: Folder, route: str, warned: int) -> None:
    folder.write("clusters/edge-a.yaml", f"{OWN}  route: {route}\n")
    assert sum("travels in clear" in warning for warning in folder.load().warnings) == warned


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("{type: url, url: 'https://x'}", 1),
        ("{type: acm, host: proxy.example.com}", 0),
        ("[{type: url, url: 'https://x'}, {type: acm}]", 0),
        ("{type: apiserver}", 1),
    ],
)
@pytest.mark.parametrize("place", ["spoke", "group"])
def test_list_for_the_proxy_without_a_route_through_it_is_warned_about(
    folder: Folder, route: str, expected: int, place: str
) -> None:
    group = f", groups: [{{name: all, match: {{}}, route: {route}}}]" if place == "group" else ""
    folder.write("values-hub.yaml", f"{VALUES}hubctl: {{clusterProxy: {{}}{group}}}\n")
    folder.write("clusters/edge-a.yaml", SPOKE if group else f"{SPOKE}  route: {route}\n")
    found = [warning for warning in folder.load().warnings if "clusterProxy" in warning]
    assert found == ["values-hub.yaml hubctl.clusterProxy lists nothing: no route is of type acm"] * expected
