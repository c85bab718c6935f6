"""`heedful diet`: a reader's minutes, one file for each kind of doing."""
