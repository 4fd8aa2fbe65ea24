"""From a source folder to checked records and folds."""
