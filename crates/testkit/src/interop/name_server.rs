//! A real NameServer on a free port of 127.0.0.1.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rocketmq_nameserver_protocol::request::GetBrokerClusterInfo;

use super::ask::query;
use super::error::InteropError;
use super::jars::Jars;
use super::java_process::{JavaProcess, Launch};
use super::ports;
use super::release::Release;

/// How long a NameServer may take until it answers. It takes 1 s on an idle machine with 2 cores, 2 with TLS.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// What a NameServer is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameServerOptions {
    /// Whether it also accepts TLS, with a certificate that it makes for itself, as it does when nothing is set.
    /// Off here: making the certificate is most of the time that a start takes.
    pub tls: bool,
    /// Further settings, for example `("orderMessageEnable", "true")`.
    pub settings: Vec<(String, String)>,
}

/// A running NameServer. Dropping it kills it and removes everything that it has written.
pub struct RealNameServer {
    release: Release,
    address: SocketAddr,
    process: JavaProcess,
}

impl RealNameServer {
    /// Starts one without TLS and waits until it answers a request.
    ///
    /// # Errors
    /// [`InteropError::NotReady`] after 60 s or [`InteropError::Ended`], both with its last lines;
    /// [`InteropError::MissingTool`] without `java`.
    pub fn start(jars: &Jars) -> Result<RealNameServer, InteropError> {
        RealNameServer::start_with(jars, &NameServerOptions::default())
    }

    /// Starts one as the options say and waits until it answers a request.
    ///
    /// # Errors
    /// As [`start`](RealNameServer::start).
    pub fn start_with(jars: &Jars, options: &NameServerOptions) -> Result<RealNameServer, InteropError> {
        ports::with_free(&[], |address| {
            let mut name_server = RealNameServer::launch(jars, options, address)?;
            name_server.wait_ready()?;
            Ok(name_server)
        })
    }

    /// Where it listens. The same after a restart.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which RocketMQ it is.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Its process id; none once it has been stopped or killed.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The folder with everything that it writes; `output.log` is what it said since its last start.
    pub fn home(&self) -> &Path {
        self.process.home()
    }

    /// Asks it to shut down and waits until it is gone, which takes up to 3 s; kills it after 30 s. Nothing happens
    /// if it does not run.
    ///
    /// # Errors
    /// [`InteropError::Io`] if the system does not let go of the process.
    pub fn stop(&mut self) -> Result<(), InteropError> {
        self.process.stop(&[self.address], || false)
    }

    /// Kills it without a chance to close its connections properly, and waits until it is gone. Nothing happens if
    /// it does not run.
    ///
    /// # Errors
    /// As [`stop`](RealNameServer::stop).
    pub fn kill_hard(&mut self) -> Result<(), InteropError> {
        self.process.kill()
    }

    /// Stops it if it runs, starts it again on the same port and waits until it answers. Its KV store is what it
    /// was; its routes are empty until the brokers come back.
    ///
    /// # Errors
    /// As [`start`](RealNameServer::start).
    pub fn restart(&mut self) -> Result<(), InteropError> {
        self.stop()?;
        self.process.start_again()?;
        self.wait_ready()
    }

    fn launch(
        jars: &Jars,
        options: &NameServerOptions,
        address: SocketAddr,
    ) -> Result<RealNameServer, InteropError> {
        let release = jars.release();
        let mut settings = format!("listenPort={}\n", address.port());
        // 4.9.7 does not know this, listens everywhere, and would list it among its settings all the same.
        if release != Release::V4_9_7 {
            settings += &format!("bindAddress={}\n", address.ip());
        }
        for (key, value) in &options.settings {
            settings += &format!("{key}={value}\n");
        }
        let mut flags = vec!["-Xmx512m"];
        if !options.tls {
            flags.push("-Dtls.server.mode=disabled");
        }
        let process = JavaProcess::start(Launch {
            server: format!("NameServer {release} on {address}"),
            jars,
            main_class: "org.apache.rocketmq.namesrv.NamesrvStartup",
            flags: &flags,
            settings: &settings,
        })?;
        Ok(RealNameServer { release, address, process })
    }

    fn wait_ready(&mut self) -> Result<(), InteropError> {
        let address = self.address;
        let look = || query(address, &GetBrokerClusterInfo).map_err(|error| error.to_string());
        self.process.wait_ready(READY_LIMIT, look).map(|_| ())
    }
}
