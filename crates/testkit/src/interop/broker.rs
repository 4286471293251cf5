//! A real broker, registered with one NameServer or more, and topics on it.

use std::net::SocketAddr;
use std::ops::ControlFlow::{Break, Continue};
use std::path::Path;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::{Name, Perm, TopicRouteData};
use rocketmq_nameserver_protocol::request::GetRouteInfo;

use super::ask::{ask, query};
use super::error::InteropError;
use super::jars::Jars;
use super::java_process::{JavaProcess, Launch};
use super::ports;
use super::registration::Registration;
use super::release::Release;
use super::wait::until;

/// How long a broker may take until it is registered. It takes 1 s on an idle machine with 2 cores.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// How long a broker or a topic may take to be seen at the NameServer. A broker registers every 10 s by itself.
const SEEN_LIMIT: Duration = Duration::from_secs(60);

// A request to a broker, which is not what the protocol crate is about.
const UPDATE_AND_CREATE_TOPIC: RequestCode = RequestCode(17);

/// Beside `listenPort` a broker listens for producers in a hurry and for its slaves.
const OTHER_PORTS: [i16; 2] = [-2, 1];

/// What a broker says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerOptions {
    /// The cluster's name.
    pub cluster: Name,
    /// The name of the broker group.
    pub broker_name: Name,
    /// Its place in the group: 0 is the master.
    pub broker_id: i64,
    /// Further settings; they count more than those that it gets here.
    pub settings: Vec<(String, String)>,
}

/// The names that RocketMQ's own examples use, and the master.
impl Default for BrokerOptions {
    fn default() -> Self {
        BrokerOptions {
            cluster: Name::from_static("DefaultCluster"),
            broker_name: Name::from_static("broker-a"),
            broker_id: 0,
            settings: Vec::new(),
        }
    }
}

/// A running broker. Dropping it kills it and removes everything that it has written; its NameServer notices that
/// its connection is gone and forgets it.
pub struct RealBroker {
    release: Release,
    registration: Registration,
    process: JavaProcess,
}

impl RealBroker {
    /// Starts a broker and waits until that NameServer lists it.
    ///
    /// # Errors
    /// [`InteropError::NotReady`] after 90 s or [`InteropError::Ended`], both with its last lines;
    /// [`InteropError::MissingTool`] without `java`.
    pub fn start(
        jars: &Jars,
        name_server: SocketAddr,
        options: &BrokerOptions,
    ) -> Result<RealBroker, InteropError> {
        RealBroker::start_at(jars, &[name_server], options)
    }

    /// Starts a broker that registers with each of those NameServers, and waits until all of them list it.
    ///
    /// # Errors
    /// As [`start`](RealBroker::start).
    pub fn start_at(
        jars: &Jars,
        name_servers: &[SocketAddr],
        options: &BrokerOptions,
    ) -> Result<RealBroker, InteropError> {
        ports::with_free(&OTHER_PORTS, |broker| {
            let (name_servers, options) = (name_servers.to_vec(), options.clone());
            let registration = Registration { broker, name_servers, options };
            let mut process = launch(jars, &registration)?;
            for name_server in &registration.name_servers {
                process.wait_ready(READY_LIMIT, registration.watch(*name_server))?;
            }
            Ok(RealBroker { release: jars.release(), registration, process })
        })
    }

    /// Its `listenPort`, and what routes name.
    pub fn address(&self) -> SocketAddr {
        self.registration.broker
    }

    /// All addresses that it listens on. They are free once it has stopped.
    pub fn all_addresses(&self) -> [SocketAddr; 3] {
        let address = self.address();
        let [fast, ha] = OTHER_PORTS.map(|distance| address.port().saturating_add_signed(distance));
        [address.port(), fast, ha].map(|port| SocketAddr::new(address.ip(), port))
    }

    /// Which RocketMQ it is.
    pub fn release(&self) -> Release {
        self.release
    }

    /// What it says of itself.
    pub fn options(&self) -> &BrokerOptions {
        &self.registration.options
    }

    /// Its process id; none once it has been stopped or killed.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The folder with everything that it writes; `output.log` is what it said.
    pub fn home(&self) -> &Path {
        self.process.home()
    }

    /// Creates a topic, or changes one, and waits until the route of every NameServer has it so. Returns the route of the
    /// first one.
    ///
    /// # Errors
    /// [`InteropError::Refused`] if the broker says no; [`InteropError::NotSeen`] if the route does not have it
    /// within 60 s; the errors of [`ask`] for the broker.
    pub fn create_topic(
        &self,
        topic: &str,
        read_queue_nums: u32,
        write_queue_nums: u32,
        perm: Perm,
    ) -> Result<TopicRouteData, InteropError> {
        let (address, code) = (self.address(), UPDATE_AND_CREATE_TOPIC);
        let fields = ExtFields::from_iter([
            ("topic", topic.to_owned()),
            ("defaultTopic", "TBW102".to_owned()),
            ("readQueueNums", read_queue_nums.to_string()),
            ("writeQueueNums", write_queue_nums.to_string()),
            ("perm", perm.0.to_string()),
            ("topicFilterType", "SINGLE_TAG".to_owned()),
            ("topicSysFlag", "0".to_owned()),
            ("order", "false".to_owned()),
        ]);
        if let Some(refusal) = ask(address, &Command::request(code, fields, ""))?.refusal() {
            return Err(InteropError::Refused { address, code, refusal });
        }
        let broker_name = &self.options().broker_name;
        let as_created = |route: &TopicRouteData| {
            route.queue_data_list.iter().any(|queues| {
                (queues.read_queue_nums, queues.write_queue_nums) == (read_queue_nums, write_queue_nums)
                    && (&queues.broker_name, queues.perm) == (broker_name, perm)
            })
        };
        let mut route = TopicRouteData::default();
        for name_server in self.registration.name_servers.iter().rev() {
            route = self.wait_route(topic, *name_server, as_created)?;
        }
        Ok(route)
    }

    /// Waits until a NameServer's route of a topic is as it should be.
    fn wait_route(
        &self,
        topic: &str,
        name_server: SocketAddr,
        is_right: impl Fn(&TopicRouteData) -> bool,
    ) -> Result<TopicRouteData, InteropError> {
        let seen = until(SEEN_LIMIT, || match query(name_server, &GetRouteInfo::new(topic)) {
            Ok(route) if is_right(&route) => Break(route),
            Ok(route) => Continue(format!("its route is {route:?}")),
            Err(error) => Continue(error.to_string()),
        });
        seen.map_err(|missing| InteropError::NotSeen {
            address: name_server,
            what: format!("topic {topic} of {}", self.options().broker_name),
            limit: SEEN_LIMIT,
            missing,
        })
    }

    /// Waits until every NameServer lists the broker, for example after a restart of one. The broker is asked to register
    /// meanwhile: by itself it does so every 10 s only.
    ///
    /// # Errors
    /// [`InteropError::NotSeen`] after 60 s.
    pub fn wait_registered(&self) -> Result<(), InteropError> {
        let registration = &self.registration;
        for address in &registration.name_servers {
            let mut look = registration.watch(*address);
            let seen = until(SEEN_LIMIT, || match look() {
                Ok(()) => Break(()),
                Err(missing) => Continue(missing),
            });
            seen.map_err(|missing| InteropError::NotSeen {
                address: *address,
                what: format!("broker {}", registration.options.broker_name),
                limit: SEEN_LIMIT,
                missing,
            })?;
        }
        Ok(())
    }

    /// Asks it to shut down, waits until it has taken its leave of every NameServer, and then kills it: what a broker does
    /// behind that nobody can see from outside. A 5.x broker takes its leave at once, a 4.x broker after 4 to 7 s.
    /// Afterwards no NameServer lists it. Nothing happens if it does not run.
    ///
    /// # Errors
    /// [`InteropError::Io`] if the system does not let go of the process; [`InteropError::NotGone`] if a NameServer
    /// still lists it after 60 s.
    pub fn stop(&mut self) -> Result<(), InteropError> {
        let [listen, fast, _] = self.all_addresses();
        let registration = &self.registration;
        self.process.stop(&[listen, fast], || registration.still_lists().is_none())?;
        // It may have registered once more in between; then the end of its connection is its leave.
        self.wait_forgotten()
    }

    /// Waits until no NameServer lists the broker any more, however it ended.
    ///
    /// # Errors
    /// [`InteropError::NotGone`] after 60 s.
    pub fn wait_forgotten(&self) -> Result<(), InteropError> {
        let registration = &self.registration;
        let gone = until(SEEN_LIMIT, || match registration.still_lists() {
            None => Break(()),
            Some(address) => Continue(address),
        });
        gone.map_err(|address| InteropError::NotGone {
            address,
            what: format!("broker {}", registration.options.broker_name),
            limit: SEEN_LIMIT,
        })
    }

    /// Kills it without a chance to take its leave, and waits until it is gone. Nothing happens if it does not run.
    ///
    /// # Errors
    /// As [`stop`](RealBroker::stop).
    pub fn kill_hard(&mut self) -> Result<(), InteropError> {
        self.process.kill()
    }
}

/// The store is in the home because `user.home` is. The mapped files are small, and the timer wheel of 5.x is off,
/// because their usual sizes reserve gigabytes.
fn launch(jars: &Jars, registration: &Registration) -> Result<JavaProcess, InteropError> {
    let Registration { broker, name_servers, options } = registration;
    let BrokerOptions { cluster, broker_name, broker_id, settings: further } = options;
    let (ip, port) = (broker.ip(), broker.port());
    let name_servers: Vec<String> = name_servers.iter().map(ToString::to_string).collect();
    let mut settings = format!(
        "brokerClusterName={cluster}\nbrokerName={broker_name}\nbrokerId={broker_id}\n\
         brokerRole={role}\nnamesrvAddr={name_servers}\n\
         brokerIP1={ip}\nbrokerIP2={ip}\nbindAddress={ip}\nlistenPort={port}\n\
         registerNameServerPeriod=10000\n\
         mappedFileSizeCommitLog=16777216\nmappedFileSizeConsumeQueue=60000\ntimerWheelEnable=false\n",
        name_servers = name_servers.join(";"),
        role = if *broker_id == 0 { "ASYNC_MASTER" } else { "SLAVE" },
    );
    for (key, value) in further {
        settings += &format!("{key}={value}\n");
    }
    JavaProcess::start(Launch {
        server: format!("broker {} {broker_name} on {broker}", jars.release()),
        jars,
        main_class: "org.apache.rocketmq.broker.BrokerStartup",
        flags: &[
            "-Xmx1g",
            // Half the work of a start. Nobody measures a broker here; a NameServer runs as everybody runs it.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            // Nobody talks TLS to it, and making a certificate takes longer than all the rest.
            "-Dtls.server.mode=disabled",
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            // Without this 4.9.7 fails while it shuts down, before it has taken its leave of the NameServer.
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
        ],
        settings: &settings,
    })
}
