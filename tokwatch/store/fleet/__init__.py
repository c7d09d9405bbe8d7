"""A recorded fleet in the store: frames of all hosts for its screens, quarter hours of each GPU for its hours."""
