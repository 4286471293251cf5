//! The real Java servers.
