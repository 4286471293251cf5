//! Tells brokers that the smallest id of their group is another one: request 905, oneway, over a connection that the server
//! opens (`docs/wire.md` §2.5). Only with the setting `notifyMinBrokerIdChanged`.

use std::io;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::{RequestCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::Name;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::table::MinBrokerIdChange;

/// How long telling one broker may take, as Java has it.
const LIMIT: Duration = Duration::from_millis(300);

/// Tells all that are to be told, one after the other. Who cannot be reached will learn it by asking.
pub(crate) async fn tell(change: MinBrokerIdChange) {
    let mut fields = ExtFields::new();
    fields.set(Name::from_static("minBrokerId"), change.min_broker_id.to_string());
    fields.set(Name::from_static("minBrokerAddr"), change.min_broker_addr.clone());
    fields.set_optional("offlineBrokerAddr", change.offline_broker_addr.clone());
    fields.set_optional("haBrokerAddr", change.ha_broker_addr.clone());
    let mut command = Command::request(RequestCode::NOTIFY_MIN_BROKER_ID_CHANGE, fields, "").oneway();
    command.header.version = Version::V5_3_3;
    for broker in &change.receivers {
        let told = tokio::time::timeout(LIMIT, send(broker, &command)).await;
        if let Err(error) = told.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            tracing::warn!(%broker, %error, "cannot tell a broker that the smallest id of its group has changed");
        }
    }
}

async fn send(broker: &Name, command: &Command) -> io::Result<()> {
    let frame = command.to_frame(SerializeType::Json).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(broker.as_str()).await?;
    stream.write_all(&frame).await?;
    stream.shutdown().await
}
