"""What each network wraps around an uplink, one module per network."""

from ingest.envelopes.recognise import SIZE_LIMIT, read_uplink
from ingest.envelopes.refusal import EnvelopeError

__all__ = ["SIZE_LIMIT", "EnvelopeError", "read_uplink"]
