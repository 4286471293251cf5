//! The background thread of asyncio calls: it reads, writes and keeps deadlines for all asyncio clients of a process.
//! One for each process.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

use crate::process;

struct Running {
    process: u32,
    handle: Handle,
}

/// Taken only with the GIL held, so that no other thread holds it when a process forks.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// The runtime of this process.
pub(crate) fn handle() -> io::Result<Handle> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::here();
    match &*running {
        Some(ours) if ours.process == process => Ok(ours.handle.clone()),
        _ => {
            let handle = start()?;
            // The parent's runtime is dead here and must not be dropped: it would wait for threads that are not there.
            std::mem::forget(running.replace(Running { process, handle: handle.clone() }));
            Ok(handle)
        }
    }
}

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    let drive = move || runtime.block_on(std::future::pending::<()>());
    std::thread::Builder::new().name("rocketmq-nameserver".to_owned()).spawn(drive)?;
    Ok(handle)
}
