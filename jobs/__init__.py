"""Work longer than a request: the pipeline that turns a file into a film."""
