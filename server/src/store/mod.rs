//! Every query. Diesel lives here only; rules live elsewhere.
