"""A page in the browser: one face by every road, and matrices of them."""
