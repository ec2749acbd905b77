import subprocess
import sys

import pytest

EXTRA = ("numpy", "sklearn", "joblib", "kserve")


@pytest.mark.parametrize("module", ["hubctl.demo", "hubctl.demo.delivery", "hubctl.demo.modelserver"])
def test_module_can_be_imported_without_the_demo_extra(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(set({EXTRA!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
