//! The phone: its store, its transport, its program.
