"""Conservative mosaic remapping."""
