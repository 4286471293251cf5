//! What several servers say about the same thing: every one is asked, and what they say is compared.

mod clusters;
mod many;
mod routes;
mod topics;
mod world;
