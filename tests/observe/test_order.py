from datetime import UTC, datetime, timedelta

import pytest

from hubctl.model.route import AcmRoute, ApiserverRoute, Route, UrlRoute
from hubctl.observe import order
from hubctl.observe.reason import Reason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=901)
ROUTES: tuple[Route, ...] = (AcmRoute(), ApiserverRoute(), UrlRoute(url="https://x.example"))


def test_list_is_tried_in_its_order_until_something_answered() -> None:
    assert order.Order(900).of("edge-a", ROUTES, NOW) == ((0, 1, 2), False)


def test_route_that_answered_comes_first_for_its_spoke_only() -> None:
    seen = order.Order(900)
    seen.answered("edge-a", ROUTES, 2, NOW)
    assert seen.of("edge-a", ROUTES, NOW) == ((2, 0, 1), True)
    assert seen.of("edge-b", ROUTES, NOW) == ((0, 1, 2), False)
    assert seen.of("edge-a", ROUTES[:2], NOW) == ((0, 1), False)


def test_first_route_gets_its_chance_again_after_the_bound() -> None:
    seen = order.Order(900)
    seen.answered("edge-a", ROUTES, 2, NOW)
    seen.answered("edge-a", ROUTES, 2, NOW + timedelta(seconds=899))
    assert seen.of("edge-a", ROUTES, LATER) == ((0, 1, 2), False)
    seen.answered("edge-a", ROUTES, 2, LATER)
    assert seen.of("edge-a", ROUTES, LATER + timedelta(seconds=1)) == ((2, 0, 1), True)


def test_first_route_stays_known_while_it_answers() -> None:
    seen = order.Order(900)
    for passed in range(0, 3000, 500):
        seen.answered("edge-a", ROUTES, 0, NOW + timedelta(seconds=passed))
    assert seen.of("edge-a", ROUTES, NOW + timedelta(seconds=2600)) == ((0, 1, 2), True)


def test_route_that_fails_is_no_longer_first() -> None:
    seen = order.Order(900)
    seen.answered("edge-a", ROUTES, 2, NOW)
    seen.failed("edge-a", ROUTES, 1, NOW)
    assert seen.of("edge-a", ROUTES, NOW)[1]
    seen.failed("edge-a", ROUTES, 2, NOW)
    assert seen.of("edge-a", ROUTES, NOW) == ((0, 1, 2), False)


def test_routes_of_one_type_are_told_apart_by_their_place() -> None:
    two = (UrlRoute(url="https://a.example"), AcmRoute(), UrlRoute(url="https://b.example"))
    assert order.names(two) == ("url 1", "acm", "url 3")


def test_shares_of_a_list_fit_its_deadline() -> None:
    left, spent = 10.0, 0.0
    for waiting in (2, 1, 0):
        spent += (given := order.share(left, waiting))
        left -= given
    assert spent == pytest.approx(10.0)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.MODEL_ABSENT, Reason.MODEL_NOT_READY, Reason.REJECTED_INPUT, Reason.REJECTED_REQUEST,
        Reason.SERVER_ERROR, Reason.SYNTAX, Reason.COUNT, Reason.OVERLOADED, Reason.DENIED,
        Reason.TOKEN_REFUSED, Reason.BODY,
    ],
)  # fmt: skip
def test_answer_of_the_model_server_ends_the_search(reason: Reason) -> None:
    assert reason not in order.ON_THE_WAY
