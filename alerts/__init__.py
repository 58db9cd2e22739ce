"""Rules as data, judged on event time, and the life of the incidents they find."""
