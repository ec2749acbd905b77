from pathlib import Path

import pytest
import trustme

from hubctl.observe.trust import Anchor, Bundles, NoTrust


def test_spokes_own_ca_comes_beside_the_systems_which_are_held_once(tmp_path: Path) -> None:
    bundles = Bundles(tmp_path)
    first, second = (bundles.trust(Anchor(pem=trustme.CA().cert_pem.bytes().decode())) for _ in range(2))
    assert first != second
    assert len(first.context.get_ca_certs()) == 1
    assert first.beyond is second.beyond is bundles.trust(Anchor()).context


def test_ca_that_is_said_alone_has_none_beside_it(tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem.bytes()
    (tmp_path / "ca.pem").write_bytes(pem)
    bundles = Bundles(tmp_path)
    said, filed = bundles.trust(Anchor(pem=pem.decode(), system=False)), bundles.trust(Anchor(file="ca.pem"))
    assert [len(one.context.get_ca_certs()) for one in (said, filed)] == [1, 1]
    assert [said.beyond, filed.beyond] == [None, None]
    assert bundles.trust(Anchor(file="ca.pem")) is filed


@pytest.mark.parametrize("anchor", [Anchor(file="none.pem"), Anchor(pem="no certificate")])
def test_bundle_that_holds_none_is_not_trusted(tmp_path: Path, anchor: Anchor) -> None:
    with pytest.raises(NoTrust):
        Bundles(tmp_path).trust(anchor)
