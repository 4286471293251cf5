//! The embedded server on a runtime of its own, for tests that block.

use std::io;
use std::net::SocketAddr;

use rocketmq_nameserver_server::{NameServer, NameServerHandle, Personality};
use tokio::runtime::{Builder, Runtime};

/// An embedded server. Dropping it stops it.
pub struct Embedded {
    handle: NameServerHandle,
    _runtime: Runtime,
}

impl Embedded {
    /// Starts one on any free port.
    ///
    /// # Errors
    /// What the runtime or binding says.
    pub fn start(personality: Personality) -> io::Result<Embedded> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let builder = NameServer::builder().listen("127.0.0.1:0").personality(personality);
        let handle = runtime.block_on(builder.start())?;
        Ok(Embedded { handle, _runtime: runtime })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.handle.address()
    }
}
