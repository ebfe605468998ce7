"""One module per data set; each exports `SPEC`."""
