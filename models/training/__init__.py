"""Training of the project's own networks. Needs torch (extra `models`); nothing that is served imports it."""
