//! 206, 216, 217, 224, 304 and 311 to 313: lists of topics, adding one and taking one away (`docs/wire.md` §2.3, §2.5,
//! §2.7).

use super::{Answer, Reach, Request, required};
use crate::code::{RequestCode, Version};
use crate::command::Command;
use crate::error::DataParseError;
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::{Name, TopicList, TopicRouteData};

const CLUSTER: &str = "cluster";
const CLUSTER_NAME: &str = "clusterName";
const TOPIC: &str = "topic";

fn list(topics: &TopicList, dialect: Dialect) -> Answer {
    Answer { body: crate::json::to_bytes(topics, dialect).into(), ..Answer::default() }
}

macro_rules! topic_list_request {
    ($(#[$doc:meta])* $request:ident, $code:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $request;

        impl Request for $request {
            const CODE: RequestCode = RequestCode::$code;
            const REACH: Reach = Reach::One;
            type Response = TopicList;

            fn to_command(&self) -> Command {
                Command::request(Self::CODE, ExtFields::new(), "")
            }

            fn from_command(_: &Command) -> Result<Self, DataParseError> {
                Ok($request)
            }

            fn to_answer(topics: &TopicList, dialect: Dialect) -> Answer {
                list(topics, dialect)
            }

            fn from_answer(answer: &Answer) -> Result<TopicList, DataParseError> {
                TopicList::from_bytes(&answer.body)
            }
        }
    };
}

topic_list_request! {
    /// 206: all topics, 4.x and 5.x. A 5.x server may have it switched off and then answers with code 1 and `disable`.
    GetAllTopicListFromNameserver, GET_ALL_TOPIC_LIST_FROM_NAMESERVER
}

topic_list_request! {
    /// 304: the names of all clusters and all brokers, which are topics too, and the address of some broker, 4.x and 5.x.
    /// Further system topics only that broker knows.
    GetSystemTopicListFromNs, GET_SYSTEM_TOPIC_LIST_FROM_NS
}

topic_list_request! {
    /// 311: topics that belong to a unit (flag bit 1 of their first queue entry), 4.x and 5.x. A 5.x server may have it
    /// switched off, as 312, 313 and 224.
    GetUnitTopicList, GET_UNIT_TOPIC_LIST
}

topic_list_request! {
    /// 312: topics with a subscription of a unit (flag bit 2), 4.x and 5.x.
    GetHasUnitSubTopicList, GET_HAS_UNIT_SUB_TOPIC_LIST
}

topic_list_request! {
    /// 313: topics with a subscription of a unit that belong to none themselves (flag bit 2 and not 1), 4.x and 5.x.
    GetHasUnitSubUnunitTopicList, GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST
}

/// 224: the topics that have queues on any broker of a cluster, 4.x and 5.x. Empty for a cluster that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetTopicsByCluster {
    /// The cluster.
    pub cluster: Name,
}

impl Request for GetTopicsByCluster {
    const CODE: RequestCode = RequestCode::GET_TOPICS_BY_CLUSTER;
    const REACH: Reach = Reach::One;
    type Response = TopicList;

    fn to_command(&self) -> Command {
        let mut fields = ExtFields::new();
        fields.set(Name::from_static(CLUSTER), self.cluster.clone());
        Command::request(Self::CODE, fields, "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        Ok(GetTopicsByCluster { cluster: required(&command.header.ext_fields, CLUSTER)? })
    }

    fn to_answer(topics: &TopicList, dialect: Dialect) -> Answer {
        list(topics, dialect)
    }

    fn from_answer(answer: &Answer) -> Result<TopicList, DataParseError> {
        TopicList::from_bytes(&answer.body)
    }
}

/// 216: takes a topic from the routes of a NameServer, 4.x and 5.x (`cluster_name` from 4.9.4 on).
///
/// Whether it was there is not told. Where a broker still has the topic it comes back: at its next registration at a 5.x
/// server, with its next changed registration at a 4.x one. Each NameServer has its own routes, so it is sent to every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTopicInNamesrv {
    /// The topic.
    pub topic: Name,
    /// Only the brokers of that cluster lose it; all do if there is none.
    pub cluster_name: Option<Name>,
}

impl Request for DeleteTopicInNamesrv {
    const CODE: RequestCode = RequestCode::DELETE_TOPIC_IN_NAMESRV;
    const REACH: Reach = Reach::Every;
    type Response = ();

    fn to_command(&self) -> Command {
        let mut fields = ExtFields::new();
        fields.set_optional(CLUSTER_NAME, self.cluster_name.clone());
        fields.set(Name::from_static(TOPIC), self.topic.clone());
        Command::request(Self::CODE, fields, "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        let cluster_name = fields.get(CLUSTER_NAME).filter(|name| !name.is_empty()).cloned();
        Ok(DeleteTopicInNamesrv { topic: required(fields, TOPIC)?, cluster_name })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}

/// 217: adds the queues of one topic to the routes of a NameServer, as brokers with `enableSingleTopicRegister` do, 5.x only.
///
/// A server takes `queue_data_list` and nothing else, and stops at the first broker that it does not know. The queues stay
/// until a registration of their broker says otherwise, 216 takes the topic away or the broker goes. Each NameServer has its
/// own routes, so it is sent to every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterTopicInNamesrv {
    /// The topic.
    pub topic: Name,
    /// Its queues.
    pub route: TopicRouteData,
}

impl Request for RegisterTopicInNamesrv {
    const CODE: RequestCode = RequestCode::REGISTER_TOPIC_IN_NAMESRV;
    const REACH: Reach = Reach::Every;
    const SINCE: Version = Version::V5_0_0;
    type Response = ();

    fn to_command(&self) -> Command {
        let mut fields = ExtFields::new();
        fields.set(Name::from_static(TOPIC), self.topic.clone());
        Command::request(Self::CODE, fields, self.route.to_bytes())
    }

    /// Without a body, or with `null` for one, there are no queues.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let route = match &*command.body {
            b"" | b"null" => TopicRouteData::default(),
            body => TopicRouteData::from_bytes(body)?,
        };
        Ok(RegisterTopicInNamesrv { topic: required(&command.header.ext_fields, TOPIC)?, route })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}
