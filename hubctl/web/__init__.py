"""What a running hubctl answers over HTTP: whether it lives, whether it is ready, its metrics. Nothing of the fleet."""
