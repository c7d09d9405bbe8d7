"""The agent: what this box has counted, told to others over a pipe, a page or a long connection. It only tells."""
