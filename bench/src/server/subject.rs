//! The servers that are measured, each a process of its own: started, ready when it answers, ended when dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, GetRouteInfo};
use rocketmq_nameserver_server::NameServer;
use rocketmq_nameserver_testkit::interop::{Jars, RealNameServer, query};
use tokio::runtime::Builder;

use super::helper::{self, Helper};
use super::{Plan, process};
use crate::Outcome;
use crate::stub::{PATIENCE, Stub};

/// What the embedded server is called in the tables.
pub(super) const EMBEDDED: &str = "embedded";

/// The same for the Java server, whatever its release.
pub(super) const JAVA: &str = "Java";

/// The same for the stub.
pub(super) const STUB: &str = "stub";

/// The hidden command.
pub(super) const SERVE: &str = "serve";

/// Room for the idle connections and a few more. Unless told otherwise the server closes the 10,001st.
const MAX_CONNECTIONS: usize = 12_000;

/// A running server.
pub(crate) struct Subject {
    pub(super) name: &'static str,
    pub(crate) address: SocketAddr,
    /// How long it took from before its process was started until it answered a request.
    pub(super) start: Duration,
    process: Process,
}

enum Process {
    Embedded(Helper),
    Java(Box<RealNameServer>),
    Stub(#[expect(dead_code, reason = "ends the process when it is dropped")] Stub),
}

impl Subject {
    /// Starts the embedded server.
    pub(crate) fn embedded() -> Outcome<Subject> {
        let start = Instant::now();
        let helper = Helper::start(SERVE, [""; 0])?;
        let address = helper.line(PATIENCE)?.trim().parse()?;
        query(address, &GetBrokerClusterInfo)?;
        Ok(Subject { name: EMBEDDED, address, start: start.elapsed(), process: Process::Embedded(helper) })
    }

    /// Starts the Java server.
    pub(super) fn java(jars: &Jars) -> Outcome<Subject> {
        let start = Instant::now();
        let server = RealNameServer::start(jars)?;
        let (start, address) = (start.elapsed(), server.address());
        Ok(Subject { name: JAVA, address, start, process: Process::Java(Box::new(server)) })
    }

    /// Starts the stub, which shows how fast the load generator is.
    pub(super) fn stub() -> Outcome<Subject> {
        let start = Instant::now();
        let stub = Stub::start()?;
        let (start, address) = (start.elapsed(), stub.address);
        Ok(Subject { name: STUB, address, start, process: Process::Stub(stub) })
    }

    /// The embedded server, and the Java server if there are jars.
    pub(super) fn both(jars: Option<&Jars>) -> Outcome<Vec<Subject>> {
        let mut subjects = vec![Subject::embedded()?];
        subjects.extend(jars.map(Subject::java).transpose()?);
        Ok(subjects)
    }

    /// How long it must be busy before anything counts: a JVM compiles the server's code while it runs.
    pub(super) fn warm_up(&self, plan: &Plan) -> Duration {
        if self.name == JAVA { plan.warm_up } else { plan.slice }
    }

    /// Its resident memory, in KiB.
    pub(super) fn resident_kib(&self) -> Option<u64> {
        process::resident_kib(self.id()?)
    }

    /// Its processor time so far.
    pub(super) fn processor_time(&self) -> Option<Duration> {
        process::processor_time(self.id()?)
    }

    /// Fails unless the route of that topic has so many brokers.
    pub(crate) fn check_route(&self, topic: &str, brokers: usize) -> Outcome<()> {
        let route = query(self.address, &GetRouteInfo::new(topic))?;
        match route.broker_data_list.len() {
            found if found == brokers => Ok(()),
            found => Err(format!("{}: {topic} has {found} brokers instead of {brokers}", self.name).into()),
        }
    }

    fn id(&self) -> Option<u32> {
        match &self.process {
            Process::Embedded(helper) => Some(helper.id()),
            Process::Java(server) => server.process_id(),
            Process::Stub(_) => None,
        }
    }
}

/// The embedded server itself, on the runtime that `nsctl serve` has: prints its address, serves until stdin ends.
pub(crate) fn serve() -> Outcome<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).to_string();
        let server = NameServer::builder().listen(listen).max_connections(MAX_CONNECTIONS).start().await?;
        helper::reply(&server.address().to_string())?;
        // The parent says nothing more: this ends with it.
        tokio::task::spawn_blocking(helper::wait).await??;
        server.shutdown().await;
        Ok(())
    })
}
