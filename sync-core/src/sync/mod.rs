//! What a device does to agree with the server, without any I/O: the bytes of a push, the reading of an answer, the
//! overlay of own ops, and the session that says what to do next.

pub mod answer;
pub mod batch;
pub mod course;
pub mod overlay;
pub mod possible;
pub mod session;
