"""`python -m pipelines.review`: see `pipelines.review.commands`."""

import sys

from pipelines.review.commands import main

if __name__ == "__main__":
    sys.exit(main())
