//! A client of several servers keeps its promises while some of them fail: hedged reads, races for connections, probes.

mod cancelled;
mod faults;
mod first_call;
mod hedges;
mod opinions;
mod probes;
mod world;
