//! 103, 104, 322, 901 and 904: brokers come, live and go (`docs/wire.md` §2.4, §2.5).

use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{DataParseError, Reason, Refusal};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::{BrokerAddresses, BrokerMemberGroup, Name};
use rocketmq_nameserver_protocol::request::{
    Answer, BrokerHeartbeat, GetBrokerMemberGroup, QueryDataVersion, QueryDataVersionResult, RegisterBroker,
    RegisterBrokerResult, Request, UnregisterBroker,
};

use super::{Dispatcher, Refused, has, or_empty, with_missing_fields_empty};
use crate::kv::ORDER_TOPIC_CONFIG;
use crate::table::{ConnectionId, Farewell, Registration};

const BROKER_ADDR: &str = "brokerAddr";
const BROKER_ID: &str = "brokerId";
const BROKER_NAME: &str = "brokerName";
const CLUSTER_NAME: &str = "clusterName";
const HA_SERVER_ADDR: &str = "haServerAddr";

impl Dispatcher {
    pub(super) fn register_broker(
        &self,
        connection: ConnectionId,
        request: &Command,
    ) -> Result<Answer, Refused> {
        if request.header.version < Version(0) {
            return Err(Refused::Exception(format!("there is no version {}", request.header.version.0)));
        }
        let named = with_missing_fields_empty(request, &[CLUSTER_NAME, BROKER_NAME, BROKER_ADDR]);
        let broker = RegisterBroker::from_command_with(&named, self.personality.topic_text_fields())
            .map_err(refused_registration)?;
        let mut registration = Registration::from(broker);
        registration.address = registration.address.filter(|_| has(request, BROKER_ADDR));
        registration.ha_server_addr = registration.ha_server_addr.filter(|_| has(request, HA_SERVER_ADDR));
        registration.delete_missing_topics = self.switches().delete_topic_with_broker_registration;
        let registered = if has(request, CLUSTER_NAME) && has(request, BROKER_NAME) {
            self.registered(Some(connection), registration)?
        } else {
            // Java fails half way, logs that, and answers with success.
            self.with_order_confs(RegisterBrokerResult::default())
        };
        Ok(registered_answer(&registered))
    }

    /// Takes a registration, and tells the broker the order configurations.
    pub(super) fn registered(
        &self,
        connection: Option<ConnectionId>,
        registration: Registration,
    ) -> Result<RegisterBrokerResult, Refused> {
        // Who has taken his leave before is gone before.
        self.carry_out_farewells();
        let now = self.now();
        let registered = self.change(|table| table.register(connection, registration, now));
        let result = registered.map_err(|_| {
            let refusal = Refusal::new(ResponseCode::SYSTEM_ERROR, "register broker failed");
            Refused::No(refusal, ExtFields::shown())
        })?;
        Ok(self.with_order_confs(result))
    }

    fn with_order_confs(&self, mut result: RegisterBrokerResult) -> RegisterBrokerResult {
        if self.switches().return_order_topic_config_to_broker {
            result.kv_table = self.read_kv().list(&Name::from_static(ORDER_TOPIC_CONFIG)).cloned();
        }
        result
    }

    pub(super) fn unregister_broker(&self, request: &Command) -> Result<Answer, Refused> {
        let field = |name| request.header.ext_fields.get(name).cloned();
        let broker_id = field(BROKER_ID).and_then(|id| id.parse().ok());
        let farewell = Farewell {
            cluster: field(CLUSTER_NAME),
            broker_name: field(BROKER_NAME),
            address: field(BROKER_ADDR),
            broker_id,
        };
        if !self.personality.is_v5() {
            if broker_id.is_none() {
                return Err(Refused::missing(BROKER_ID));
            }
            self.change(|table| table.unregister_all([farewell]));
        } else if farewell.cluster.is_some() && farewell.address.is_some() {
            let capacity = self.switches().un_register_broker_queue_capacity.max(1);
            let mut farewells = self.lock_farewells();
            if farewells.len() >= capacity {
                return Err(Refused::No(
                    Refusal { code: ResponseCode::SYSTEM_ERROR, remark: None },
                    ExtFields::new(),
                ));
            }
            farewells.push(farewell);
        }
        Ok(UnregisterBroker::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn query_data_version(&self, request: &Command) -> Result<Answer, Refused> {
        let v5 = self.personality.is_v5();
        if v5 && !(has(request, CLUSTER_NAME) && has(request, BROKER_ADDR)) {
            return Err(Refused::missing("clusterName or brokerAddr"));
        }
        let mut named = with_missing_fields_empty(request, &[CLUSTER_NAME, BROKER_NAME, BROKER_ADDR]);
        named.header.ext_fields.set(Name::from_static(BROKER_ID), Name::from_static("0"));
        let version = match (request.body.is_empty(), v5) {
            (true, true) => None,
            (true, false) => return Err(Refused::Exception("there is no body".to_owned())),
            (false, _) => Some(QueryDataVersion::from_command(&named)?.data_version),
        };
        let cluster = or_empty(request, CLUSTER_NAME);
        let address = request.header.ext_fields.get(BROKER_ADDR);
        let known =
            address.map(|address| self.write().query_data_version(&cluster, address, version, self.now()));
        let (changed, data_version) = known.unwrap_or((true, None));
        let mut answer =
            QueryDataVersion::to_answer(&QueryDataVersionResult { changed, data_version }, Dialect::Legacy);
        if let (Some(data_version), false) = (data_version, v5) {
            answer.body = data_version.to_bytes_without_state_version().into();
        }
        Ok(answer)
    }

    pub(super) fn broker_heartbeat(&self, request: &Command) -> Result<Answer, Refused> {
        let named = with_missing_fields_empty(request, &[BROKER_NAME]);
        let heartbeat = BrokerHeartbeat::from_command(&named)?;
        self.write().heartbeat(&heartbeat.cluster_name, &heartbeat.broker_addr, self.now());
        Ok(BrokerHeartbeat::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn member_group(&self, request: &Command) -> Result<Answer, Refused> {
        let group = GetBrokerMemberGroup::from_command(&with_missing_fields_empty(
            request,
            &[BROKER_NAME, CLUSTER_NAME],
        ))?;
        let named = has(request, BROKER_NAME);
        let members =
            if named { self.read().members(&group.broker_name) } else { BrokerAddresses::default() };
        let group = BrokerMemberGroup {
            broker_addresses: members,
            // The names are only echoed.
            broker_name: group.broker_name,
            cluster: group.cluster_name,
        };
        Ok(GetBrokerMemberGroup::to_answer(&group, Dialect::Legacy))
    }
}

/// Java always shows the fields of this answer, even when there are none.
fn registered_answer(result: &RegisterBrokerResult) -> Answer {
    let mut answer = RegisterBroker::to_answer(result, Dialect::Legacy);
    if answer.ext_fields.is_empty() {
        answer.ext_fields = ExtFields::shown();
    }
    answer
}

fn refused_registration(error: DataParseError) -> Refused {
    match error.reason {
        Reason::Crc32Mismatch => Refused::No(
            Refusal::new(ResponseCode::SYSTEM_ERROR, error.reason.to_string()),
            ExtFields::shown(),
        ),
        _ => Refused::from(error),
    }
}
