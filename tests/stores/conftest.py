import pytest

pytest.register_assert_rewrite("stores.observation_contract", "stores.observation_model")
