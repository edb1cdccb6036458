"""Pure image functions: numpy in, numpy out; no Beam, no I/O, no engine."""
