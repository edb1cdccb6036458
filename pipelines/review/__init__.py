"""The review page: what a run made, seen and judged by advertisers and ads ops."""
