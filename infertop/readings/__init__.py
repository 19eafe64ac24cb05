"""What meters say, and the arithmetic on it: the vocabulary, the exposition parser, rates, histograms."""
