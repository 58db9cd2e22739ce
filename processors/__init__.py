"""One index, one file, one pure function over the whole fleet."""
