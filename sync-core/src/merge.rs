//! Merging one field by what was seen, never by clocks.
