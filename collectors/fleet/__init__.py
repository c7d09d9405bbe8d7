"""Many endpoints at once: thousands of pages a second by one process, each in the cheapest way that it allows."""
