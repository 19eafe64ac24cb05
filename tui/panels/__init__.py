"""The parts of a page: each draws one subject of a view into a given width and height."""
