import pytest
from hypothesis import settings

# Before anything imports them: their assertions are to be explained like a test's own.
for module in (
    "stores.observation_contract",
    "stores.observation_model",
    "command_line",
    "service_process",
    "chaos.fleet",
):
    pytest.register_assert_rewrite(module)

# How long one example takes says nothing on a machine that others use as well; pytest-timeout ends what hangs.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
