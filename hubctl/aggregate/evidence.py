"""Evidence: the matrix of spokes and models in counts, of what nothing explains yet.

Apart from ``blame``, which weighs it: to take explained predictors away costs what they are, not what the fleet is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from hubctl.model.health import Condition, FindingKind, PredictorHealth

Cell = tuple[str, str]
"""Cluster and model."""

RHO_VERSION, RHO_SPOKE = 0.2, 0.5
"""Correlation between spokes of one version, between models of one spoke."""

FEWEST_MODELS = 2
"""Anomalous models that a finding about a spoke needs."""


@dataclass(slots=True, eq=False)
class Theory:
    """A version or a spoke that may explain anomalies.

    Attributes:
        fewest: anomalous predictors that it needs.
        rho: correlation between its predictors.
        model: of a version; empty for a spoke.
        models: of all the predictors that it covers.
        covers: how many these are, known or not.
        explained: how many of these something else explains.
        known: how many of the others are known.
        bad: which of these are anomalous.
    """

    kind: FindingKind
    subject: str
    fewest: int
    rho: float
    model: str = ""
    version: str = ""
    models: set[str] = field(default_factory=set)
    covers: int = 0
    explained: int = 0
    known: int = 0
    bad: set[Cell] = field(default_factory=set)

    @property
    def key(self) -> str:
        """The key that its finding would have."""
        return f"{self.kind}:{self.subject}"

    @property
    def share(self) -> float:
        """How much of what is known is anomalous."""
        return len(self.bad) / self.known

    def add(self, one: PredictorHealth) -> None:
        """Cover one predictor more."""
        self.covers += 1
        self.models.add(one.model)
        self.known += one.condition is not Condition.UNKNOWN
        if one.condition is Condition.ANOMALOUS:
            self.bad.add((one.cluster, one.model))

    def take(self, cell: Cell) -> None:
        """Leave out an anomalous predictor that is explained."""
        self.explained += 1
        self.known -= 1
        self.bad.remove(cell)


class Evidence:
    """What is known of every predictor whose answers are votes."""

    def __init__(self, voters: Sequence[PredictorHealth], min_spokes: int) -> None:
        """Count them; only versions and spokes with an anomalous predictor become theories."""
        anomalous = [one for one in voters if one.condition is Condition.ANOMALOUS]
        self._known = Counter(one.model for one in voters if one.condition is not Condition.UNKNOWN)
        self._bad = Counter(one.model for one in anomalous)
        self._version_of = {(one.cluster, one.model): one.version for one in anomalous}
        self._versions = {
            pair: _of_version(*pair, min_spokes) for pair in {(one.model, one.version) for one in anomalous}
        }
        self._spokes = {
            name: Theory(FindingKind.SPOKE_ANOMALY, name, FEWEST_MODELS, RHO_SPOKE)
            for name in {one.cluster for one in anomalous}
        }
        for one in voters:
            for theory in (self._versions.get((one.model, one.version)), self._spokes.get(one.cluster)):
                if theory is not None:
                    theory.add(one)

    @property
    def theories(self) -> Iterable[Theory]:
        """Each version and each spoke with an anomalous predictor."""
        return (*self._versions.values(), *self._spokes.values())

    def share_without(self, cell: Cell) -> float:
        """How much of all that is known, but for this predictor, is anomalous."""
        counted = cell in self._version_of
        known, bad = self._known.total() - counted, self._bad.total() - counted
        return bad / known if known else 0.0

    def control(self, theory: Theory) -> tuple[int, int]:
        """Anomalous and known predictors that the theory does not cover, though they have the same models.

        A version that is alone is compared with other models on its anomalous spokes.
        """
        bad = sum([self._bad[model] for model in theory.models]) - len(theory.bad)
        known = sum([self._known[model] for model in theory.models]) - theory.known
        if theory.model and not known:
            spokes = [self._spokes[cluster] for cluster, _ in theory.bad]
            return sum([len(one.bad) - 1 for one in spokes]), sum([one.known - 1 for one in spokes])
        return bad, known

    def take(self, cells: Collection[Cell]) -> None:
        """Leave these anomalous predictors out of everything from here on: they are explained."""
        for cell in cells:
            cluster, model = cell
            self._versions[model, self._version_of.pop(cell)].take(cell)
            self._spokes[cluster].take(cell)
            self._known[model] -= 1
            self._bad[model] -= 1


def _of_version(model: str, version: str, fewest: int) -> Theory:
    subject = f"{model}@{version}"
    return Theory(FindingKind.MODEL_ANOMALY, subject, fewest, RHO_VERSION, model=model, version=version)
