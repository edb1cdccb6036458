"""The nightly job. `python run_pipeline.py --help` explains every option."""

import sys

if __name__ == "__main__":
    from pipelines.enhance import run

    sys.exit(run(sys.argv[1:]))
