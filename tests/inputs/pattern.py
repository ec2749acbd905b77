"""A whole values-hub.yaml as patterns have it: 850 lines, nearly all other people's, in every habit of style."""

HEAD = """\
---
# Values of the hub of the pattern "self-healing" 🚑
# Everything below `clusterGroup` is read by the clustergroup chart.
global:
  pattern: &pattern self-healing
  options: {syncPolicy: Automatic, installPlanApproval: "Automatic"}   # flow style
  git:
    revision: main
main:
    clusterGroupName: hub          # four spaces here
    namespace: self-healing-platform
    multiSourceConfig:
        enabled: true
        clusterGroupChartVersion: "0.9.*"

cluster: {topology: sno, version: "4.20"}
on: push    # a key that YAML 1.1 takes for true

clusterGroup:
  name: hub
  isHubCluster: true
  sharedValueFiles:
  - '/overrides/values-{{ $.Values.global.clusterPlatform }}.yaml'
  - "/overrides/values-{{ $.Values.global.clusterVersion }}.yaml"
  namespaces:
  - open-cluster-management
  - self-healing-platform:
      labels: {openshift.io/cluster-monitoring: "true"}
  - vault
  imperative:
    jobs:
    - name: create-the-cluster
      playbook: playbooks/create.yml
      timeout: 234
      schedule: "*/10 * * * *"
  subscriptions:
"""

SUBSCRIPTION = """\
    operator-{n}:
      name: operator-{n}
      namespace: operators-{n}
      channel: stable-{n}   # pinned in {n}
      source: redhat-operators
"""

APPLICATION = """\
    # ---- application {n} ----
    application-{n}:
      name: application-{n}
      namespace: space-{n}
      project: hub
      path: charts/all/application-{n}
      overrides:
      - name: global.application{n}.secretName
        value: application-{n}-credentials
      - {{name: replicas, value: "{n}"}}
      ignoreDifferences:
      - group: apps
        kind: Deployment
        jqPathExpressions:
        - '.spec.template.spec.containers[]?.env[]? | select(.name == "CERT_SHA1")'
      extraValues: |
        # kept as it is
        feature:
            enabled: yes
"""

BETWEEN = """\
secretStore:
  backend: vault
  tokenTTL: 5m
  existingSecret: vault-unseal
grafana:
  adminPassword: ""    # set elsewhere
  ini: >-
    [server]
    root_url = https://grafana.example.com
notebooks:
  git: {url: "", credentialsSecret: github-pat-credentials}
"""

TAIL = """\
objectStore:
  enabled: false
  accessKey: ""
  secretKey: ""
  buckets: {models: model-storage, training: training-data}
again: *pattern
modes: [0o644, 0644, 1e3, ~, .5]
# the end
"""

ML_SERVICE = """\
# The engine, the old way.
coordinationEngine:
  enabled: true
  replicas: 1
  mlService:
    enabled: true
    url: "http://aiops-ml-service:8080"
  logLevel: info   # louder: debug
"""

SERVICES = """\
coordinationEngine:
  enabled: true
  kserve:
    enabled: true
    namespace: self-healing-platform
    services:
      anomaly_detector: "anomaly-detector-predictor"
      predictive_analytics: "predictive-analytics-predictor"
  logLevel: info
"""

CHART = """\
coordinationEngine:
  enabled: true
  image: {repository: quay.io/example/engine, tag: ""}
  kserve:
    enabled: true
    namespace: self-healing-platform
    predictorPort: 8080
    anomalyDetectorService: anomaly-detector-stable  # no headless one
    anomalyDetectorModel: anomaly-detector
    predictiveAnalyticsService: predictive-analytics-stable
    predictiveAnalyticsModel: predictive-analytics
    timeout: "120s"
  argocd:
    enabled: true
# What the chart serves.
models:
  - name: anomaly-detector
    cpu: "1000m"
    memory: "1Gi"
    cpuLimit: "4"
    memoryLimit: "8Gi"
    syncWave: "2"
    gpuTrained: false
  - name: predictive-analytics
    cpu: 1
    memory: 2Gi
    cpuLimit: "2"
    memoryLimit: "6Gi"
  - name: disk-failure
    cpu: "{{ .Values.small }}"
    memory: 512Mi
"""


def values(engine: str, *, count: int = 33) -> str:
    """The file, with the coordination engine's part somewhere in the middle."""
    text = HEAD + "".join(SUBSCRIPTION.format(n=n) for n in range(count)) + "  applications:\n"
    text += "".join(APPLICATION.format(n=n) for n in range(count))
    return f"{text}\n{BETWEEN}\n{engine}\n{TAIL}"
