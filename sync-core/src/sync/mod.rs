//! The sync session without I/O, and the overlay: what a device shows.
