"""What a checkpoint draws, measured by the classifier and shown."""
