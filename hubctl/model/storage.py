"""Where the models of a spoke lie: a claim, a bucket, images or a hub of repositories.

Apart from the cluster's file, because groups say the same of many spokes.
"""

from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.base import DnsLabel, Strict
from hubctl.model.platform import ExternalSecret
from hubctl.model.serving import HfStorage, OciStorage


class PvcStorage(Strict):
    """Models lie on a PersistentVolumeClaim of the spoke."""

    type: Literal["pvc"] = "pvc"
    claim: DnsLabel = "model-storage-pvc"
    size: Annotated[str, Field(pattern=r"^[1-9]\d*(\.\d+)?(Ki|Mi|Gi|Ti)$")] = "10Gi"
    storage_class: DnsLabel | None = None
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce"] | None = Field(
        None, description="default: ReadWriteMany on ha, ReadWriteOnce on sno"
    )


class S3Storage(Strict):
    """Models lie in an S3 bucket; the credentials are in a Secret of the spoke that hubctl never sees."""

    type: Literal["s3"] = "s3"
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, Field(pattern=r"^[^/](.*[^/])?$")] | None = None
    secret_name: DnsLabel = "model-storage-s3"  # noqa: S105 - the name of a Secret, not a secret
    service_account: DnsLabel = "model-storage"
    external_secret: ExternalSecret | None = Field(None, description="makes the Secret; default: its owner does")


AnyStorage = PvcStorage | S3Storage | OciStorage | HfStorage
Storage = Annotated[AnyStorage, Field(discriminator="type")]
