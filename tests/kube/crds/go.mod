// Pins the modules whose CRD files tests/kube installs. Nothing is compiled: build.sh only copies YAML out of them, so
// go.sum holds these modules alone. Apart from ../go.mod, because these need other versions of Kubernetes' libraries.
module hubctl.invalid/kube/crds

go 1.26.3

require (
	github.com/argoproj/argo-cd/v3 v3.5.3
	github.com/external-secrets/external-secrets v0.20.4
	github.com/kserve/kserve v0.20.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	open-cluster-management.io/api v1.3.0
	open-cluster-management.io/managed-serviceaccount v0.10.0
	open-cluster-management.io/multicloud-operators-subscription v0.13.0
	sigs.k8s.io/gateway-api v1.5.1
)
