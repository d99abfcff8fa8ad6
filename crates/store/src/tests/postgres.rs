//! What concerns the driver for servers alone.
