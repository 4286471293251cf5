//! The cache of routes: what it serves, what it asks, what it tells.

mod lifecycle;
mod serving;
mod site;
mod watching;
