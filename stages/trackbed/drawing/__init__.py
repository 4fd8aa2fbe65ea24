"""The built-in sample: track-bed pictures that the project draws itself."""
