"""What the pipeline, the served models and the training share. Importing it loads nothing."""
