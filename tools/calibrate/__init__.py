"""How hard a prepared data set is: what each input tells of a person."""
