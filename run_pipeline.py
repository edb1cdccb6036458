"""The nightly job. `python run_pipeline.py --help` explains every option."""

import logging
import sys

if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)  # Beam warns of optional parts on import; --log_level decides after it

    from pipelines.enhance import run

    sys.exit(run(sys.argv[1:]))
