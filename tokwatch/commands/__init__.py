"""One command a file: `run(options)` does it and gives the exit code. Composition only, no work of its own."""
