"""What is unusual in a series, told as its values come: no I/O, no look ahead, a bounded state."""
