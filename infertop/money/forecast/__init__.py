"""What will have been spent by the end of a period, from what was spent hour by hour, and how far off that may be."""
