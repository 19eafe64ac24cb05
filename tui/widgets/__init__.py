"""What panels are made of: cells, lines, tables, bars, sparklines, charts and the canvas that shows them."""
