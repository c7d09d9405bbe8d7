"""What the benchmarks of the store share: a recorded box, its samples as series, the peers that hold them too."""
