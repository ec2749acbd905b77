"""Where one run of hubctl looks and writes: its flags and ``HUBCTL_*`` variables, frozen.

Apart from the values file, because these belong to the person or pod that runs hubctl, not to the fleet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubctl.errors import InputError

SWITCH = "ENABLE_KSERVE_INTEGRATION"
"""The variable by which the coordination engine, and hubctl with it, leaves KServe alone."""
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where Kubernetes tells a pod its namespace."""

REPOSITORY, BRANCH, PATH = "HUBCTL_CONFIG_REPO", "HUBCTL_CONFIG_BRANCH", "HUBCTL_CONFIG_PATH"
"""Variables that say where the inputs come from."""

CREDENTIALS = {
    "token_file": "HUBCTL_CONFIG_TOKEN_FILE",
    "username_file": "HUBCTL_CONFIG_USERNAME_FILE",
    "password_file": "HUBCTL_CONFIG_PASSWORD_FILE",
    "ca_file": "HUBCTL_CONFIG_CA_FILE",
    "ssh_key_file": "HUBCTL_CONFIG_SSH_KEY_FILE",
    "known_hosts_file": "HUBCTL_CONFIG_KNOWN_HOSTS_FILE",
}
"""Kind of credential: the variable that names a file with it."""


@dataclass(frozen=True, slots=True)
class ConfigRepository:
    """The Git repository that the inputs come from.

    Attributes:
        url: or a path.
        branch: followed.
        path: of the folder with the values file in it.
        files: kind of credential, such as ``token_file``, to the file that holds it.
    """

    url: str
    branch: str = "main"
    path: str = "."
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths of one run.

    Attributes:
        directory: holds ``values-hub.yaml``, ``clusters/`` and, if wanted, ``templates/``.
        state: hubctl's own files: the Git cache, the lock and the default SQLite store.
        remote: overrides ``hubctl.gitops.remote`` when not empty.
        schemas: cached schemas of rendered kinds; overrides ``hubctl.schemas.folder``. None: as the values say.
        kserve: name and text of each variable that the coordination engine reads about KServe, sorted; none is empty.
        kill_switch: the stop file; None: ``STOP`` in the state folder.
        namespace: hubctl's own on the hub; empty where it runs in no pod and no variable says.
        kubeconfig: of the hub's own API server. None: as the Kubernetes client finds it, then the pod we are in.
        context: in it. None: the current one.
        config: where the inputs come from; None: the folder is somebody else's.
        commit: of that repository that ``directory`` stands at; empty before the first.
        engine: where rounds are made, as ``hubctl run`` was told; empty: as the values say.
    """

    directory: Path
    state: Path
    remote: str = ""
    schemas: Path | None = None
    kserve: tuple[tuple[str, str], ...] = ()
    kill_switch: Path | None = None
    namespace: str = ""
    kubeconfig: Path | None = None
    context: str | None = None
    config: ConfigRepository | None = None
    commit: str = ""
    engine: str = ""

    @property
    def stop_file(self) -> Path:
        """While it is there, hubctl changes nothing by itself."""
        return self.kill_switch or self.state / "STOP"

    @property
    def values_file(self) -> Path:
        """The hub's values file."""
        return self.directory / "values-hub.yaml"


def read_settings(directory: str | None, environ: Mapping[str, str]) -> Settings:
    """Settings from ``-C DIR`` and the environment; the flag wins over ``HUBCTL_DIRECTORY``.

    With ``HUBCTL_CONFIG_REPO`` and neither of them, the inputs are those that ``hubctl run`` checked out last.

    Raises:
        InputError: the folder does not exist.
    """
    named = directory or environ.get("HUBCTL_DIRECTORY")
    chosen = Path(named or ".").absolute()
    if not chosen.is_dir():
        raise InputError(
            f"there is no folder {chosen}", hint="pass an existing one with -C DIR, or run `hubctl init DIR`"
        )
    state = Path(environ.get("HUBCTL_STATE") or chosen / ".hubctl").absolute()
    schemas = Path(environ["HUBCTL_SCHEMAS"]).absolute() if environ.get("HUBCTL_SCHEMAS") else None
    switch = environ.get("HUBCTL_KILL_SWITCH")
    made = Settings(
        directory=chosen,
        state=state,
        remote=environ.get("HUBCTL_REMOTE", ""),
        schemas=schemas,
        kserve=tuple(sorted(pair for pair in environ.items() if pair[1] and _about_kserve(pair[0]))),
        kill_switch=Path(switch).absolute() if switch else None,
        namespace=environ.get("HUBCTL_NAMESPACE") or namespace_of_pod(),
        kubeconfig=hub_login(environ)[0],
        context=hub_login(environ)[1],
    )
    url = environ.get(REPOSITORY, "")
    return made if named or not url else following(made, url, None, None, environ)


def hub_login(environ: Mapping[str, str]) -> tuple[Path | None, str | None]:
    """The kubeconfig of the hub's own API server and the context in it; None where nothing says."""
    file = environ.get("HUBCTL_KUBECONFIG")
    return Path(file).absolute() if file else None, environ.get("HUBCTL_CONTEXT") or None


def namespace_of_pod(file: Path = POD_NAMESPACE) -> str:
    """The namespace of the pod that this is; empty elsewhere."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _about_kserve(variable: str) -> bool:
    return variable == SWITCH or variable.startswith("KSERVE_")


def following(
    settings: Settings, url: str, branch: str | None, path: str | None, environ: Mapping[str, str]
) -> Settings:
    """The settings of a run whose inputs come from a repository; what is None is as the environment says."""
    files = {kind: environ[name] for kind, name in CREDENTIALS.items() if environ.get(name)}
    config = ConfigRepository(url, branch or environ.get(BRANCH) or "main", path or environ.get(PATH) or ".", files)
    current = settings.state / "config" / "current"
    if not current.is_dir():
        return replace(settings, config=config)
    return replace(settings, config=config, directory=current, commit=current.readlink().parts[1])
