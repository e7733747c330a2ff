"""Everything a reader of a published dataset relies on, checked again from the files alone."""
