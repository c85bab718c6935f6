"""Pictures: read from any file, brought to one size, varied in batches on the device."""
