//! `nsctl serve`: a NameServer until somebody ends it.
//!
//! Scripts wait for the one line on stdout: when it is there, the server listens and knows its topology.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use rocketmq_nameserver::AsyncNameServerClient;
use rocketmq_nameserver_server::{NameServer, NameServerBuilder, NameServerHandle, Personality};
use serde_json::json;

use super::signals::Signals;
use super::{Failed, faults};
use crate::args::{Args, Format, Generation, Serve};
use crate::topology::{self, Topology};
use crate::{address, log, out};

/// Returns what is left to print, which is nothing after it has served.
pub(crate) async fn run(args: &Args, serve: &Serve) -> Result<String, Failed> {
    if serve.schema {
        return Ok(topology::SCHEMA.to_owned());
    }
    if serve.faults_from_stdin && serve.from.as_deref() == Some(Path::new(topology::STDIN)) {
        return Err(Failed::Usage("--from - and --faults-from-stdin cannot both have stdin".to_owned()));
    }
    log::start(serve.verbose);
    let topology = match &serve.from {
        Some(file) => topology::load(file).map_err(Failed::Usage)?,
        None => Topology::default(),
    };
    let mut signals = Signals::new()?;
    let server = start(args, serve, &topology).await?;
    put_kv(args, server.address(), &topology).await?;
    register(&server, &topology, serve.personality)?;
    if !serve.faults.is_empty() {
        faults::set(server.server(), serve.faults.clone());
    }
    out::line(&ready(&server, serve.personality, args.output))?;
    if serve.faults_from_stdin {
        faults::follow_stdin(server.server().clone())?;
    }

    signals.next().await;
    tokio::select! {
        biased;
        // Whoever asks twice does not want to wait for connections that close.
        code = signals.next() => std::process::exit(code),
        () = server.shutdown() => Ok(String::new()),
    }
}

async fn start(args: &Args, serve: &Serve, topology: &Topology) -> Result<NameServerHandle, Failed> {
    let builder =
        NameServer::builder().personality(serve.personality.into()).max_frame_size(args.max_frame_size);
    let builder = serve.kv_file.iter().fold(builder, NameServerBuilder::kv_file);
    // The later one counts.
    let builder = topology.settings.iter().fold(builder, |builder, (key, value)| builder.setting(key, value));
    let builder = serve.settings.iter().fold(builder, |builder, (key, value)| builder.setting(key, value));
    // What is wrong with the KV file and the settings is wrong use; what fails behind that is the system's word.
    let server = builder.build().map_err(|error| Failed::Usage(error.to_string()))?;
    server.listen(&serve.listen).await.map_err(|error| cannot_listen(&serve.listen, &error))
}

fn cannot_listen(listen: &str, error: &io::Error) -> Failed {
    let everywhere = format!(
        "this machine does not have that address. --listen {} takes all that it has",
        address::everywhere(listen)
    );
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: end it, or choose another port with --listen. Port 0 takes any free one"
        }
        io::ErrorKind::AddrNotAvailable => &everywhere,
        io::ErrorKind::PermissionDenied => "choose a port from 1024 up with --listen",
        _ => "choose another address with --listen HOST:PORT",
    };
    Failed::System(format!("{error}\n{advice}"))
}

/// As an administrator would: with a request for each entry. The first that fails ends the program.
async fn put_kv(args: &Args, mut server: SocketAddr, topology: &Topology) -> Result<(), Failed> {
    if server.ip().is_unspecified() {
        server.set_ip(match server.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let client =
        AsyncNameServerClient::builder().servers(server.to_string()).timeout(args.timeout).build()?;
    for entry in topology.kv_entries() {
        client.request(&entry).await.map_err(|error| {
            let why = error.remark().map_or_else(|| error.to_string(), str::to_owned);
            Failed::System(format!(
                "the topology's KV entry {:?} of {:?} cannot be put: {why}",
                entry.key, entry.namespace
            ))
        })?;
    }
    client.close().await;
    Ok(())
}

/// Brokers without a connection, which stay until they are unregistered.
fn register(server: &NameServerHandle, topology: &Topology, generation: Generation) -> Result<(), Failed> {
    for registration in topology.registrations(generation) {
        let broker = format!("{} at {}", registration.broker_name, registration.broker_addr);
        server.register(registration).map_err(|refusal| {
            let remark = refusal.remark.unwrap_or_default();
            Failed::Usage(format!(
                "the NameServer does not take the broker {broker}: {} {remark}",
                refusal.code
            ))
        })?;
    }
    Ok(())
}

/// The line for scripts.
fn ready(server: &NameServerHandle, generation: Generation, format: Format) -> String {
    let address = server.address();
    match format {
        Format::Table => {
            let version = Personality::from(generation).version().to_string();
            let version = version.trim_start_matches('V').replace('_', ".");
            format!("NameServer {version} listens on {address}")
        }
        Format::Json => {
            json!({"address": address.to_string(), "personality": generation.number()}).to_string()
        }
    }
}

impl From<Generation> for Personality {
    fn from(generation: Generation) -> Personality {
        match generation {
            Generation::V4 => Personality::V4,
            Generation::V5 => Personality::V5,
        }
    }
}
