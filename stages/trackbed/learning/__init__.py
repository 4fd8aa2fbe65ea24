"""From records to a trained model and its answers."""
