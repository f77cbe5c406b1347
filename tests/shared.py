"""Where the material outside the repository is that some tests read, if it is there."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("K8SNETLINT_SHARED") or REPOSITORY.parent / "shared")

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the shared test material is not beside the repository ({SHARED.name}/)"
)
