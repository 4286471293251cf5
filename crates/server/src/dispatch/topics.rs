//! 205, 206, 216, 217, 224, 304, 311 to 313 and 327: topics, and whether they may be written to (`docs/wire.md` §2.3, §2.5
//! to §2.7).

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::TopicList;
use rocketmq_nameserver_protocol::request::{
    AddWritePermOfBroker, Answer, DeleteTopicInNamesrv, GetAllTopicListFromNameserver,
    GetHasUnitSubTopicList, GetHasUnitSubUnunitTopicList, GetSystemTopicListFromNs, GetTopicsByCluster,
    GetUnitTopicList, RegisterTopicInNamesrv, Request, WipeWritePermOfBroker,
};

use super::{Dispatcher, Refused, has, with_missing_fields_empty};
use crate::table::UnitTopics;

const TOPIC: &str = "topic";
const BROKER_NAME: &str = "brokerName";
const CLUSTER: &str = "cluster";

impl Dispatcher {
    pub(super) fn wipe_write_perm(&self, request: &Command) -> Result<Answer, Refused> {
        let named = with_missing_fields_empty(request, &[BROKER_NAME]);
        let wipe = WipeWritePermOfBroker::from_command(&named)?;
        let count = if has(request, BROKER_NAME) {
            self.change(|table| table.wipe_write_perm(&wipe.broker_name))
        } else {
            0
        };
        Ok(WipeWritePermOfBroker::to_answer(&count, Dialect::Legacy))
    }

    pub(super) fn add_write_perm(&self, request: &Command) -> Result<Answer, Refused> {
        let named = with_missing_fields_empty(request, &[BROKER_NAME]);
        let add = AddWritePermOfBroker::from_command(&named)?;
        let count = if has(request, BROKER_NAME) {
            self.change(|table| table.add_write_perm(&add.broker_name))
        } else {
            0
        };
        Ok(AddWritePermOfBroker::to_answer(&count, Dialect::Legacy))
    }

    pub(super) fn all_topics(&self) -> Result<Answer, Refused> {
        if !self.switches().enable_all_topic_list {
            return Err(disabled());
        }
        Ok(GetAllTopicListFromNameserver::to_answer(&self.read().all_topics(), Dialect::Legacy))
    }

    pub(super) fn topics_by_cluster(&self, request: &Command) -> Result<Answer, Refused> {
        self.check_topic_lists()?;
        let by = GetTopicsByCluster::from_command(&with_missing_fields_empty(request, &[CLUSTER]))?;
        let named = has(request, CLUSTER);
        let topics = if named { self.read().topics_by_cluster(&by.cluster) } else { TopicList::default() };
        Ok(GetTopicsByCluster::to_answer(&topics, Dialect::Legacy))
    }

    pub(super) fn system_topics(&self) -> Result<Answer, Refused> {
        Ok(GetSystemTopicListFromNs::to_answer(&self.read().system_topics(), Dialect::Legacy))
    }

    pub(super) fn unit_topics(&self) -> Result<Answer, Refused> {
        self.check_topic_lists()?;
        Ok(GetUnitTopicList::to_answer(&self.read().unit_topics(UnitTopics::Unit), Dialect::Legacy))
    }

    pub(super) fn unit_sub_topics(&self) -> Result<Answer, Refused> {
        self.check_topic_lists()?;
        Ok(GetHasUnitSubTopicList::to_answer(&self.read().unit_topics(UnitTopics::UnitSub), Dialect::Legacy))
    }

    pub(super) fn unit_sub_ununit_topics(&self) -> Result<Answer, Refused> {
        self.check_topic_lists()?;
        let topics = self.read().unit_topics(UnitTopics::UnitSubUnunit);
        Ok(GetHasUnitSubUnunitTopicList::to_answer(&topics, Dialect::Legacy))
    }

    pub(super) fn delete_topic(&self, request: &Command) -> Result<Answer, Refused> {
        let delete = DeleteTopicInNamesrv::from_command(&with_missing_fields_empty(request, &[TOPIC]))?;
        if has(request, TOPIC) {
            self.change(|table| table.delete_topic(&delete.topic, delete.cluster_name.as_ref()));
        }
        Ok(DeleteTopicInNamesrv::to_answer(&(), Dialect::Legacy))
    }

    pub(super) fn register_topic(&self, request: &Command) -> Result<Answer, Refused> {
        if !request.body.is_empty() {
            let register =
                RegisterTopicInNamesrv::from_command(&with_missing_fields_empty(request, &[TOPIC]))?;
            if has(request, TOPIC) {
                self.change(|table| table.register_topic(&register.topic, register.route.queue_data_list));
            }
        }
        Ok(RegisterTopicInNamesrv::to_answer(&(), Dialect::Legacy))
    }

    fn check_topic_lists(&self) -> Result<(), Refused> {
        if self.switches().enable_topic_list { Ok(()) } else { Err(disabled()) }
    }
}

fn disabled() -> Refused {
    Refused::no(ResponseCode::SYSTEM_ERROR, "disable")
}
