import pytest

# Before anything imports them: their assertions are to be explained like a test's own.
for module in ("stores.observation_contract", "stores.observation_model", "command_line", "service_process"):
    pytest.register_assert_rewrite(module)
