"""What the stages of the pipeline are made of, one module per concept."""
