"""Keeps what hubctl writes apart from what hubctl reads, when one branch holds both.

Pure. The branch itself is asked, not the folder of the inputs: it may hold another fleet's inputs too, and one
repository has many URLs.
"""

from collections.abc import Collection

from hubctl.errors import GuardRefused

VALUES = "values-hub.yaml"
_READ = ("clusters", "templates")
_USUAL = {"path": "rendered", "overrides": "overrides"}


def questions(folder: str) -> tuple[str, ...]:
    """Values files whose presence on the branch would make this folder one of a fleet's inputs, or one in them."""
    parts = folder.split("/")
    return tuple("/".join([*parts[:at], VALUES]) for at, part in enumerate(parts) if part in _READ)


def check(listed: Collection[str], folder: str, key: str) -> None:
    """Refuse to write where the branch holds inputs of a fleet.

    Args:
        listed: paths on the branch, among them those of :func:`questions` and all below the folder.
        folder: where hubctl would write.
        key: of ``hubctl.gitops``, that names the folder; ``path`` is replaced as a whole.

    Raises:
        GuardRefused: the inputs would be removed or mixed with what hubctl writes.
    """
    beside = questions(folder)
    over = {name for name in listed if key == "path" and f"{name}/".startswith(f"{folder}/")}
    if named := sorted(name for name in listed if name in beside or (name in over and name.split("/")[-1] == VALUES)):
        raise GuardRefused(
            f"the branch holds a fleet's inputs, {named[0]}, and {folder} would be written over them",
            hint=f"set hubctl.gitops.{key} to a folder of its own, such as {_USUAL[key]}, "
            "or hubctl.gitops.branch to another branch",
        )
