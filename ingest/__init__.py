"""From the broker to readings: collectors, journal, envelopes, decoding, dead letters."""
