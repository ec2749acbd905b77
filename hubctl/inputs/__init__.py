"""Inputs: values-hub.yaml, clusters/ and overrides/ to HubInputs, and edits of those files.

Reads local files, nothing else. Errors name file, line and field.
"""

from hubctl.inputs.load import Sources, load_inputs, parse_overrides, read_sources, reload
from hubctl.inputs.merge import assemble

__all__ = ["Sources", "assemble", "load_inputs", "parse_overrides", "read_sources", "reload"]
