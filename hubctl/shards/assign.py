"""Who polls which spokes: spokes are hashed into shards, and each shard goes to the worker that ranks highest for it.

Pure. Ranking (rendezvous hashing: Thaler and Ravishankar, 1998) moves as little as can be moved: a worker that joins
takes its share from all the others and nothing moves between them, one that leaves spreads only its own.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b

from hubctl.model.predictor import InferenceService


def shard_of(cluster: str, shards: int) -> int:
    """The shard of a spoke, from 0; the same in every process and release."""
    return _number(cluster.encode()) % shards


def places(shards: int, workers: Collection[str]) -> Mapping[int, str]:
    """Each shard to the worker that polls it; empty without workers."""
    names = sorted(workers)
    if not names:
        return {}
    return {shard: max(names, key=lambda name: _rank(name, shard)) for shard in range(shards)}


def divided(services: Sequence[InferenceService], shards: int) -> Mapping[int, Sequence[int]]:
    """Each shard that has predictors to their places among the services, in order."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    known: dict[str, int] = {}
    for place, service in enumerate(services):
        shard = known.get(service.cluster)
        if shard is None:
            shard = known[service.cluster] = shard_of(service.cluster, shards)
        found[shard].append(place)
    return found


def _rank(worker: str, shard: int) -> int:
    return _number(b"%d %s" % (shard, worker.encode()))


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest())
