//! Fourth stop: which request is this, and what is its answer?
//!
//! Before it comes [`connection`](crate::connection); behind it [`table`](crate::table), [`kv`](crate::kv) and
//! [`settings`](crate::settings). Each code has one line in [`Dispatcher::answer_or_refuse`] and one method that decodes
//! its typed request, asks under the lock, and encodes the typed response after it. Semantics are those of Java
//! (`docs/wire.md` §2), where a missing field is no error by itself (§1.7).
//!
//! | file | codes |
//! |---|---|
//! | `brokers` | 103, 104, 322, 901, 904: brokers come, live and go |
//! | `routes` | 105, 106: where topics and brokers are |
//! | `topics` | 205, 206, 216, 217, 224, 304, 311 to 313, 327: topics, and whether they may be written to |
//! | `kv_config` | 100 to 102, 219: the KV store |
//! | `namesrv_config` | 318, 319: the server's own settings |
//! | `upkeep` | none: what happens without a request |
//! | `at_fault` | any, while a [`Fault`] is on |

mod at_fault;
mod brokers;
mod kv_config;
mod namesrv_config;
mod routes;
mod topics;
mod upkeep;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use rocketmq_nameserver_protocol::code::{Language, RequestCode, ResponseCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{DataParseError, Refusal};
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::Answer;
use tokio::time::Instant;

use crate::fault::{Fault, FaultSwitch, Faults};
use crate::kv::KvStore;
use crate::notify::Teller;
use crate::personality::Personality;
use crate::ready_routes::ReadyRoutes;
use crate::settings::{Settings, Switches};
use crate::table::{ConnectionId, Farewell, Now, Table};
use crate::whole_file::WholeFile;

/// Clients above this version understand that they shall go away (`docs/wire.md` §1.3).
const GO_AWAY_ABOVE: Version = Version(475);

/// What a server knows, and who may ask it what.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    personality: Personality,
    legacy_bodies: bool,
    started: Instant,
    table: RwLock<Table>,
    kv: RwLock<KvStore>,
    settings: RwLock<Settings>,
    /// Farewells that wait to be carried out together (5.x).
    farewells: Mutex<Vec<Farewell>>,
    /// It shuts down gracefully: newer clients are told to go away.
    leaving: AtomicBool,
    faults: FaultSwitch,
    /// When silent brokers were looked for, in milliseconds of uptime.
    last_scan: AtomicU64,
    teller: Arc<Teller>,
    ready_routes: ReadyRoutes,
    /// Whether routes may be asked for at all times: no setting makes clients wait.
    waits_for_nothing: AtomicBool,
    /// Where the KV store is kept. Whoever changes the store holds this lock, so that its changes are written in their order.
    kv_file: Option<Mutex<WholeFile>>,
    /// Where the settings are kept; its lock is held likewise.
    settings_file: Option<Mutex<WholeFile>>,
}

/// One answer, and the form of its header.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) command: Command,
    pub(crate) form: SerializeType,
}

/// Why a request does not get what it asks for.
#[derive(Debug)]
enum Refused {
    /// The server says no.
    No(Refusal, ExtFields),
    /// Java's handler would have thrown. Such an answer never has fields, and is JSON whatever the request was.
    Exception(String),
    /// A 4.x server does not answer what it does not know.
    Silence,
}

impl Refused {
    fn no(code: ResponseCode, remark: impl Into<Name>) -> Self {
        Refused::No(Refusal::new(code, remark), ExtFields::new())
    }

    fn missing(field: &str) -> Self {
        Refused::Exception(format!("the field {field} is missing or is no number"))
    }
}

impl From<DataParseError> for Refused {
    /// The request cannot be read; the frame around it could, so the connection stays.
    fn from(error: DataParseError) -> Self {
        Refused::Exception(error.to_string())
    }
}

impl Dispatcher {
    pub(crate) fn new(
        personality: Personality,
        kv: KvStore,
        settings: Settings,
        legacy_bodies: bool,
    ) -> Self {
        Dispatcher {
            personality,
            legacy_bodies,
            started: Instant::now(),
            table: RwLock::new(Table::new(personality)),
            kv: RwLock::new(kv),
            farewells: Mutex::default(),
            leaving: AtomicBool::new(false),
            faults: FaultSwitch::new(),
            last_scan: AtomicU64::new(0),
            teller: Arc::default(),
            ready_routes: ReadyRoutes::default(),
            waits_for_nothing: AtomicBool::new(!settings.switches().need_wait_for_service),
            settings: RwLock::new(settings),
            kv_file: None,
            settings_file: None,
        }
    }

    /// Keeps the KV store and the settings there from now on.
    pub(crate) fn keep_in(self, kv: Option<WholeFile>, settings: Option<WholeFile>) -> Self {
        Dispatcher { kv_file: kv.map(Mutex::new), settings_file: settings.map(Mutex::new), ..self }
    }

    pub(crate) fn personality(&self) -> Personality {
        self.personality
    }

    /// Whether a request is written to a file before it is answered.
    pub(crate) fn is_slow(&self, request: &Command) -> bool {
        match RequestCode(request.header.code) {
            RequestCode::PUT_KV_CONFIG | RequestCode::DELETE_KV_CONFIG => self.kv_file.is_some(),
            RequestCode::UPDATE_NAMESRV_CONFIG => self.settings_file.is_some(),
            _ => false,
        }
    }

    pub(crate) fn faults(&self) -> &FaultSwitch {
        &self.faults
    }

    /// The answer to a command that came over that connection in that form, with these faults. `None` if none is due: a
    /// oneway request, which takes effect all the same, a response to nothing, or what a 4.x server does not know.
    pub(crate) fn answer(
        &self,
        connection: ConnectionId,
        mut request: Command,
        form: SerializeType,
        faults: Faults,
    ) -> Option<Reply> {
        if request.header.is_response() {
            return None;
        }
        tracing::trace!(
            connection = connection.0,
            code = request.header.code,
            opaque = request.header.opaque,
            "request"
        );
        if form == SerializeType::RocketMq {
            // An empty text in the binary form is none (`docs/wire.md` §1.5).
            request.header.ext_fields.retain(|_, value| !value.is_empty());
        }
        let opaque = request.header.opaque;
        let mut answer_form = self.personality.answer_form(form);
        let mut command = match self.answer_or_refuse(connection, &request, faults) {
            Ok(answer) => answer.into_response(opaque),
            Err(Refused::No(refusal, ext_fields)) => {
                let mut response = refusal.into_response(opaque);
                response.header.ext_fields = ext_fields;
                response
            }
            Err(Refused::Exception(text)) => {
                answer_form = SerializeType::Json;
                Refusal::new(ResponseCode::SYSTEM_ERROR, text).into_response(opaque)
            }
            Err(Refused::Silence) => return None,
        };
        if RequestCode(request.header.code) == RequestCode::GET_BROKER_MEMBER_GROUP {
            // Java forgets to set a code and says so, although it is 0 (`docs/wire.md` §2.5).
            command.header.remark.get_or_insert(Name::from_static("not set any response code"));
        }
        command.header.version = self.personality.version();
        command.header.language = Language::RUST;
        if faults.has(Fault::WrongOpaque) {
            command.header.opaque = opaque.wrapping_add(1);
        }
        let is_due = !request.header.is_oneway() && !faults.has(Fault::Silent);
        is_due.then_some(Reply { command, form: answer_form })
    }

    fn answer_or_refuse(
        &self,
        connection: ConnectionId,
        request: &Command,
        faults: Faults,
    ) -> Result<Answer, Refused> {
        let leaving = self.leaving.load(Ordering::Relaxed) && self.personality.is_v5();
        if (leaving || faults.has(Fault::GoAway)) && request.header.version > GO_AWAY_ABOVE {
            return Err(Refused::no(ResponseCode::GO_AWAY, "please go away"));
        }
        if !faults.is_none()
            && let Some(answer) = self.answer_at_fault(faults, connection, request)
        {
            return answer;
        }
        match RequestCode(request.header.code) {
            RequestCode::PUT_KV_CONFIG => self.put_kv_config(request),
            RequestCode::GET_KV_CONFIG => self.kv_config(request),
            RequestCode::DELETE_KV_CONFIG => self.delete_kv_config(request),
            RequestCode::REGISTER_BROKER => self.register_broker(connection, request),
            RequestCode::UNREGISTER_BROKER => self.unregister_broker(request),
            RequestCode::GET_ROUTEINFO_BY_TOPIC => self.route(request),
            RequestCode::GET_BROKER_CLUSTER_INFO => self.cluster_info(request),
            RequestCode::WIPE_WRITE_PERM_OF_BROKER => self.wipe_write_perm(request),
            RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => self.all_topics(),
            RequestCode::DELETE_TOPIC_IN_NAMESRV => self.delete_topic(request),
            RequestCode::GET_KVLIST_BY_NAMESPACE => self.kv_list(request),
            RequestCode::GET_TOPICS_BY_CLUSTER => self.topics_by_cluster(request),
            RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_NS => self.system_topics(),
            RequestCode::GET_UNIT_TOPIC_LIST => self.unit_topics(),
            RequestCode::GET_HAS_UNIT_SUB_TOPIC_LIST => self.unit_sub_topics(),
            RequestCode::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => self.unit_sub_ununit_topics(),
            RequestCode::UPDATE_NAMESRV_CONFIG => self.update_namesrv_config(request),
            RequestCode::GET_NAMESRV_CONFIG => self.namesrv_config(),
            RequestCode::QUERY_DATA_VERSION => self.query_data_version(request),
            RequestCode::ADD_WRITE_PERM_OF_BROKER => self.add_write_perm(request),
            RequestCode::REGISTER_TOPIC_IN_NAMESRV if self.personality.is_v5() => {
                self.register_topic(request)
            }
            RequestCode::GET_BROKER_MEMBER_GROUP if self.personality.is_v5() => self.member_group(request),
            RequestCode::BROKER_HEARTBEAT if self.personality.is_v5() => self.broker_heartbeat(request),
            _ if !self.personality.is_v5() => Err(Refused::Silence),
            // The leading blank is Java's.
            RequestCode(code) => Err(Refused::no(
                ResponseCode::REQUEST_CODE_NOT_SUPPORTED,
                format!(" request type {code} not supported"),
            )),
        }
    }

    /// The settings have changed, which routes may show.
    fn settings_changed(&self, switches: Switches) {
        self.waits_for_nothing.store(!switches.need_wait_for_service, Ordering::Release);
        self.ready_routes.changed();
    }

    fn switches(&self) -> Switches {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).switches()
    }

    fn lock_farewells(&self) -> MutexGuard<'_, Vec<Farewell>> {
        self.farewells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let millis = since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Now { millis, uptime: self.started.elapsed() }
    }

    /// A panic under the lock would have come from the one request that caused it; the others are still served.
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the table. Routes that were ready are made anew if they may have changed, and brokers are told of others that
    /// have come or gone, if that is set.
    fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.write();
        let changed = change(&mut table);
        if table.take_routes_changed() {
            self.ready_routes.changed();
        }
        let to_tell = table.take_min_broker_id_changes(self.switches().notify_min_broker_id_changed);
        drop(table);
        self.teller.tell(to_tell);
        changed
    }
}

/// A change that could not be written to its file: it holds until the server ends. Java only logs that.
fn not_kept(error: &io::Error) -> Refused {
    tracing::error!(%error, "a change is not kept");
    Refused::no(ResponseCode::SYSTEM_ERROR, format!("changed, but only in memory: {error}"))
}

/// The file, for whoever is about to change what it keeps.
fn lock_file(file: Option<&Mutex<WholeFile>>) -> Option<MutexGuard<'_, WholeFile>> {
    file.map(|file| file.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether an argument is there: an empty one is.
fn has(request: &Command, field: &str) -> bool {
    request.header.ext_fields.get(field).is_some()
}

/// A text argument, empty if it is missing.
fn or_empty(request: &Command, field: &str) -> Name {
    request.header.ext_fields.get(field).cloned().unwrap_or_default()
}

/// The request with these fields, empty where they were missing: for a request that Java takes without them.
fn with_missing_fields_empty(request: &Command, fields: &[&'static str]) -> Command {
    let mut request = request.clone();
    for field in fields {
        if request.header.ext_fields.get(field).is_none() {
            request.header.ext_fields.set(Name::from_static(field), Name::default());
        }
    }
    request
}

#[cfg(test)]
mod tests;
