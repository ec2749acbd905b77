"""What a look at the hub makes of the inventory: debounce, brake, and looks that are not believed."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubctl.errors import GuardRefused
from hubctl.inputs import discover
from hubctl.model.fleetsource import FleetSource, PlacementRef
from hubctl.model.health import FindingKind
from hubctl.model.inventory import Changes, Inventory, Look, Trouble
from hubctl.model.snapshot import MANAGED_CLUSTERS, Snapshot
from tests.inputs.hubobjects import OPENSHIFT, T0, after, cluster_set, decision, managed, snapshot

ACM = FleetSource(source="acm")
PLACED = FleetSource(source="acm", placements=(PlacementRef(namespace="fleet", name="edge"),))
TWENTY = tuple(f"edge-{number:02}" for number in range(20))


def known(*names: str, source: FleetSource = ACM) -> Inventory:
    found = discover.take(None, snapshot(map(managed, names)), source, T0).inventory
    assert found
    return found


def looked(
    before: Inventory | None, *clusters: Mapping[str, Any], at: datetime = T0, source: FleetSource = ACM
) -> Look:
    return discover.take(before, snapshot(clusters, at=at), source, at)


def names(look: Look) -> tuple[str, ...]:
    assert look.inventory
    return tuple(one.name for one in look.inventory.members)


def test_accepted_cluster_becomes_a_spoke_with_what_it_claims() -> None:
    look = looked(None, managed("edge-a", labels={"tier": "gold"}))
    assert look.inventory
    [member] = look.inventory.members
    assert (member.platform, member.version, member.topology) == ("openshift", "4.18", "ha")
    assert member.labels["tier"] == "gold"
    assert look.changes.joined == ("edge-a",)


def test_hub_is_known_by_its_label_and_left_out_unless_wanted() -> None:
    hub = managed("any-name", labels={"local-cluster": "true"})
    assert names(looked(None, hub, managed("local-cluster"))) == ("local-cluster",)
    assert names(looked(None, hub, source=FleetSource(source="acm", hub="include"))) == ("any-name",)


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        (managed("x", accepted=False), "is not accepted by the hub yet: spec.hubAcceptsClient is not true"),
        (managed("x") | {"status": {}}, "has reported no version yet: no claim of it, and none in status.version"),
        (managed("x", claims={"version.openshift.io": "4.17.2"}), "openshift 4.17 is older than 4.18"),
        (managed("x", claims={"kubeversion.open-cluster-management.io": "v1.27.9"}), "kubernetes 1.27 is older than"),
        (managed("x" * 64), "63 characters at most"),
    ],
)
def test_cluster_that_cannot_be_a_spoke_is_reported(cluster: Mapping[str, Any], why: str) -> None:
    look = looked(None, cluster, managed("edge-a"))
    assert names(look) == ("edge-a",)
    assert why in look.notes[0]


@pytest.mark.parametrize("lapse", [{"available": "Unknown"}, {"available": "False"}, {"taints": ["unreachable"]}])
def test_spoke_that_is_silent_or_tainted_stays_a_spoke(lapse: dict[str, Any]) -> None:
    look = looked(known("edge-a"), managed("edge-a", **lapse))
    assert look.inventory
    assert look.inventory.members[0].missing_since is None
    assert look.inventory.members[0].notes
    assert look.changes == Changes()


def test_spoke_that_claims_nothing_for_a_while_keeps_its_platform() -> None:
    look = looked(known("edge-a"), managed("edge-a", claims={}))
    assert look.inventory
    assert look.inventory.members[0].platform == "openshift"


def test_spoke_that_is_upgraded_changes_its_facts_and_nothing_else() -> None:
    newer = managed("edge-a", claims=OPENSHIFT | {"version.openshift.io": "4.19.1"})
    look = looked(known("edge-a", "edge-b"), newer, managed("edge-b"), at=after(5))
    assert look.changes == Changes(changed=("edge-a",))
    assert look.inventory
    assert look.inventory.members[0].since == T0


def test_spoke_that_vanishes_is_kept_until_it_is_forgotten() -> None:
    rest = [managed(name) for name in TWENTY[1:]]
    gone = looked(known(*TWENTY), *rest, at=after(1))
    assert gone.changes.missing == (TWENTY[0],)
    later = looked(gone.inventory, *rest, at=after(10))
    assert TWENTY[0] in names(later)
    over = looked(later.inventory, *rest, at=after(11))
    assert over.changes.left == (TWENTY[0],)
    assert names(over) == TWENTY[1:]


def test_spoke_that_comes_back_in_time_was_never_away() -> None:
    before = known("edge-a", "edge-b")
    gone = looked(before, managed("edge-a"), at=after(1))
    back = looked(gone.inventory, managed("edge-a"), managed("edge-b"), at=after(5))
    assert back.changes.returned == ("edge-b",)
    assert back.inventory
    assert back.inventory.members == before.members


def test_renamed_spoke_is_both_until_the_old_name_is_forgotten() -> None:
    look = looked(known("edge-a", "edge-b"), managed("edge-a"), managed("edge-c"), at=after(1))
    assert names(look) == ("edge-a", "edge-b", "edge-c")
    over = looked(look.inventory, managed("edge-a"), managed("edge-c"), at=after(12))
    assert names(over) == ("edge-a", "edge-c")


@pytest.mark.parametrize("left_over", [[], [managed("hub", labels={"local-cluster": "true"})]])
def test_empty_list_changes_nothing_and_is_a_finding(left_over: list[Mapping[str, Any]]) -> None:
    before = known(*TWENTY)
    look = looked(before, *left_over, at=after(60))
    assert look.inventory is before
    assert look.trouble is Trouble.EMPTY
    [found] = discover.findings(look, ACM, after(60))
    assert (found.kind, found.deterministic, found.clusters) == (FindingKind.FLEET_SHRUNK, True, TWENTY)


def test_list_that_shrinks_by_more_than_the_brake_changes_nothing() -> None:
    before = known(*TWENTY)
    look = looked(before, *(managed(name) for name in (*TWENTY[3:], "new")), at=after(60))
    assert look.inventory is before
    assert look.trouble is Trouble.SHRUNK
    assert look.detail == ("3 of 20 spokes are missing on the hub, expected at most 2: edge-00, edge-01, edge-02")


def test_spokes_that_go_one_by_one_count_together_while_they_are_kept() -> None:
    one = looked(known(*TWENTY), *(managed(name) for name in TWENTY[1:]), at=after(1))
    two = looked(one.inventory, *(managed(name) for name in TWENTY[2:]), at=after(2))
    three = looked(two.inventory, *(managed(name) for name in TWENTY[3:]), at=after(3))
    assert three.trouble is Trouble.SHRUNK


@pytest.mark.parametrize(("limit", "held"), [(2, True), (3, False), ("10%", True), ("15%", False), (0, True)])
def test_brake_is_a_number_or_a_share(limit: int | str, *, held: bool) -> None:
    source = FleetSource(source="acm", max_shrink=limit)
    look = looked(known(*TWENTY), *(managed(name) for name in TWENTY[3:]), source=source)
    assert (look.trouble is Trouble.SHRUNK) is held


def test_api_that_cannot_be_read_changes_nothing_and_is_a_finding_only_once_it_lasts() -> None:
    before = known("edge-a")
    blind = Snapshot(after(1), {}, {MANAGED_CLUSTERS: "403"})
    look = discover.take(before, blind, ACM, after(1))
    assert (look.inventory, look.trouble) == (before, Trouble.UNREAD)
    assert discover.findings(look, ACM, after(1)) == ()
    [found] = discover.findings(look, ACM, after(11))
    assert found.kind is FindingKind.FLEET_UNREAD
    assert "11 minutes ago" in found.summary


def test_unread_api_without_memory_gives_no_inventory() -> None:
    assert discover.take(None, Snapshot(T0), ACM, T0).inventory is None


def test_person_lets_exactly_the_missing_spokes_go() -> None:
    before = known(*TWENTY)
    look = looked(before, *(managed(name) for name in TWENTY[5:]))
    after_it = discover.confirmed(before, look, 5, after(1))
    assert tuple(one.name for one in after_it.members) == TWENTY[5:]
    assert looked(after_it, *(managed(name) for name in TWENTY[5:]), at=after(2)).trouble is None


@pytest.mark.parametrize("removing", [0, 4, 6])
def test_person_who_expects_another_number_is_refused(removing: int) -> None:
    before = known(*TWENTY)
    look = looked(before, *(managed(name) for name in TWENTY[5:]))
    with pytest.raises(GuardRefused, match="5 spokes are missing"):
        discover.confirmed(before, look, removing, T0)


def test_all_decisions_of_a_placement_count_and_no_other_ones() -> None:
    clusters = [managed(name) for name in (*TWENTY, "other")]
    decisions = [decision("edge", 1, TWENTY[:9]), decision("edge", 2, TWENTY[9:18]), decision("edge", 3, TWENTY[18:])]
    others = [decision("edge", 1, ["other"], namespace="elsewhere"), decision("edge2", 1, ["other"])]
    look = discover.take(None, snapshot(clusters, decisions=[*decisions, *others]), PLACED, T0)
    assert names(look) == TWENTY
    assert look.notes == ()


def test_placement_that_selects_nobody_is_empty_but_one_without_decisions_is_unknown() -> None:
    before = known("edge-a")
    clusters = [managed("edge-a")]
    nobody = discover.take(before, snapshot(clusters, decisions=[decision("edge", 1, [])]), PLACED, T0)
    assert nobody.trouble is Trouble.EMPTY
    unknown = discover.take(before, snapshot(clusters, decisions=[]), PLACED, T0)
    assert unknown.trouble is Trouble.UNREAD
    assert "placement fleet/edge has no PlacementDecision" in unknown.detail


def test_sets_choose_by_their_own_label_or_by_their_selector() -> None:
    label = "cluster.open-cluster-management.io/clusterset"
    clusters = [managed("a", labels={label: "shops"}), managed("b", labels={"tier": "gold"}), managed("c")]
    gold = {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gold"]}]}
    sets = [cluster_set("shops"), cluster_set("golden", {"selectorType": "LabelSelector", "labelSelector": gold})]
    source = FleetSource(source="acm", cluster_sets=("shops", "golden"))
    assert names(discover.take(None, snapshot(clusters, sets=sets), source, T0)) == ("a", "b")
    missing = discover.take(None, snapshot(clusters, sets=sets[1:]), source, T0)
    assert (missing.trouble, "there is no ManagedClusterSet 'shops'" in missing.detail) == (Trouble.UNREAD, True)


FLEETS = st.lists(st.sampled_from(TWENTY), unique=True)


@given(FLEETS, FLEETS, st.randoms(use_true_random=False), st.integers(0, 30))
def test_order_of_objects_does_not_matter(first: list[str], second: list[str], chance: Random, minutes: int) -> None:
    def twice(names_: list[str], before: Inventory | None, at: datetime) -> Look:
        objects = [managed(name) for name in names_]
        parts = [decision("edge", 1, names_[:7]), decision("edge", 2, names_[7:14]), decision("edge", 3, names_[14:])]
        shuffled = chance.sample(objects, len(objects)), chance.sample(parts, len(parts))
        look = discover.take(before, snapshot(objects, decisions=parts), PLACED, at)
        assert look == discover.take(before, snapshot(shuffled[0], decisions=shuffled[1]), PLACED, at)
        return look

    look = twice(first, None, T0)
    twice(second, look.inventory, after(minutes))


TWO = ["edge-00", "edge-01"]
SEEN_IN_A_LOOK_THAT_IS_NOT_BELIEVED = [(["edge-02"], 0), (TWO, 0), (["edge-02"], 2), (TWO, 8)]


@given(st.lists(st.tuples(FLEETS, st.integers(0, 8)), min_size=1, max_size=8))
@example(SEEN_IN_A_LOOK_THAT_IS_NOT_BELIEVED)
def test_no_spoke_is_lost_before_its_time_and_never_more_than_the_brake_allows(
    story: list[tuple[list[str], int]],
) -> None:
    before: Inventory | None = None
    at = T0
    seen_at: dict[str, datetime] = {}
    for fleet, minutes in story:
        at = at + (after(minutes) - T0)
        look = looked(before, *map(managed, fleet), at=at)
        assert look.inventory is not None
        seen_at |= dict.fromkeys(fleet, at)
        old = frozenset(one.name for one in before.members) if before else frozenset()
        lost = old - set(names(look))
        assert set(look.changes.left) == lost
        assert len(lost) <= ACM.allowed(len(old))
        assert all((at - seen_at[name]).total_seconds() >= ACM.forget_after for name in lost)
        if look.trouble is None:
            assert set(fleet) <= set(names(look))
        else:
            assert before is not None
            assert names(look) == tuple(one.name for one in before.members)
        before = look.inventory
