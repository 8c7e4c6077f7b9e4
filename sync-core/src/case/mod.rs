//! The life of a case: which step is legal from which state, and what it does to the document.
