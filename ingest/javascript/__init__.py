"""JavaScript codecs of vendors, run where they can do no harm."""

from __future__ import annotations

from ingest.javascript.codec import Codec, CodecError, Fault, Payload
from ingest.javascript.pool import CodecPool

__all__ = ["Codec", "CodecError", "CodecPool", "Fault", "Payload"]
