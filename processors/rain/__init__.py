"""Rain: from counters to events, levels and the water green holds back."""
