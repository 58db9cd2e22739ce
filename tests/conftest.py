import signal

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

# Under nohup or as a background job programs would inherit deafness to signals that tests send them.
for deaf in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(deaf) is signal.SIG_IGN:
        signal.signal(deaf, signal.SIG_DFL if deaf is signal.SIGHUP else signal.default_int_handler)
