//! What a request needs, put together once at the start.
