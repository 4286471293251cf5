//! The runtime of blocking calls: the core's, one for each process.
//!
//! It is apart from the [`runtime`](crate::runtime) of asyncio calls, which must be driven at all times.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rocketmq_nameserver::BlockingRuntime;

use crate::process;

struct Running {
    process: u32,
    runtime: Arc<BlockingRuntime>,
}

/// Taken only with the GIL held, so that no other thread holds it when a process forks.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// The runtime of this process.
pub(crate) fn get() -> io::Result<Arc<BlockingRuntime>> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::here();
    if let Some(ours) = running.as_ref().filter(|ours| ours.process == process) {
        return Ok(Arc::clone(&ours.runtime));
    }
    let runtime = BlockingRuntime::start()?;
    // The parent's runtime is dead here and must not be dropped: its connections belong to the parent.
    std::mem::forget(running.replace(Running { process, runtime: Arc::clone(&runtime) }));
    Ok(runtime)
}
