// Pins the modules whose CRD files tests/kube installs. Nothing is compiled: build.sh only copies YAML out of them, so
// go.sum holds these modules alone. Apart from ../go.mod, because these need other versions of Kubernetes' libraries.
module hubctl.invalid/kube/crds

go 1.26.3

require (
	github.com/argoproj/argo-cd/v3 v3.5.1
	github.com/kserve/kserve v0.20.0
)
