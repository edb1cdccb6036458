"""Where product images come from: what a manifest may refer to, and how it is fetched."""
