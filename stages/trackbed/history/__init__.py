"""Training histories of any origin: read, and analysed for why a run went as it did."""
