"""Training and example data: furniture models, renders of them, pairs, filters, captions."""
