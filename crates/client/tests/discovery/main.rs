//! Clients that find their servers, and find them again when they change.

mod changes;
mod first_list;
mod http;
mod last_good;
mod sources;
mod tasks;
mod world;
