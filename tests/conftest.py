"""How hypothesis searches: the same examples on every run, and more of them on request.

``HYPOTHESIS_PROFILE=thorough pytest`` looks longer.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

slow_machines = (HealthCheck.too_slow, HealthCheck.filter_too_much)
settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=slow_machines,
)
settings.register_profile(
    "thorough",
    deadline=None,
    database=None,
    max_examples=2000,
    suppress_health_check=slow_machines,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True, scope="session")
def _cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests store catalogues in a folder of their own, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISBAND_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
