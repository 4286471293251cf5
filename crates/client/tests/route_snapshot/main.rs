//! A cache whose routes are kept in a file. `docs/guarantees.md` says in words what is promised and names these tests.

mod ages;
mod files;
mod folder;
mod killed;
mod large;
mod serving;
mod writing;

/// Servers in memory; not all of what they can do is needed here.
#[allow(dead_code)]
#[path = "../route_faults/site.rs"]
mod site;
