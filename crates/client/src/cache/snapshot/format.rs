//! The lines of the file. Each is a JSON value:
//!
//! ```json
//! {"format":"rocketmq-nameserver routes","version":1,"zone":"eu-1a"}
//! {"route":{"number":0,"data":{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}}}
//! {"topic":{"name":"orders","route":0,"source":"ns-1:9876","confirmedAt":1732470000000}}
//! {"end":{"lines":2}}
//! ```
//!
//! Routes have the names of the wire, and the addresses that the servers have advertised. Topics whose routes are the same
//! share one. `zone` stands there if the client prefers the brokers of one: the routes then have no others. `confirmedAt` is when a server has said or confirmed the route, in milliseconds since 1970. A file without its
//! last line is torn.

use std::borrow::Cow;
use std::io::{self, BufRead, BufWriter, Write};
use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use crate::cache::change;
use crate::cache::entry::{BodyHash, Cached};
use crate::locality::Locality;

const FORMAT: &str = "rocketmq-nameserver routes";

/// Another number stands for lines that mean something else.
const VERSION: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    format: Cow<'a, str>,
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Cow<'a, str>>,
}

/// Any other line. To be written it has references.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line<R, N> {
    Route { number: usize, data: R },
    Topic { name: N, route: usize, source: N, confirmed_at: u64 },
    End { lines: u64 },
}

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    /// Lines that cannot be used.
    pub(super) bad: usize,
}

/// A topic.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) topic: Name,
    pub(super) route: Arc<TopicRouteData>,
    /// The hash of the line that says the route.
    pub(super) body: BodyHash,
    pub(super) source: Name,
    /// In milliseconds since 1970.
    pub(super) confirmed_at: u64,
}

/// A route as servers have said it, whatever this client makes of its addresses.
fn as_advertised(route: &TopicRouteData) -> Cow<'_, TopicRouteData> {
    let is_rewritten = route.broker_data_list.iter().any(|broker| broker.advertised_addresses.is_some());
    if is_rewritten { Cow::Owned(route.as_advertised()) } else { Cow::Borrowed(route) }
}

/// Reads a whole file; `locality` makes of a route that servers have said what this client makes of it. A line that cannot be
/// used costs itself, and a route the topics that have it.
pub(super) fn read(mut input: impl BufRead, locality: &Locality) -> io::Result<Content> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    let header: Header = serde_json::from_slice(&line)
        .ok()
        .filter(|header: &Header<'_>| header.format == FORMAT)
        .ok_or_else(|| broken(format!("its first line does not say {FORMAT:?}")))?;
    if header.version != VERSION {
        let version = header.version;
        return Err(broken(format!("it is of version {version}, and this program reads version {VERSION}")));
    }
    // Compared as servers compare them. Of another zone than this client's it has the wrong brokers.
    let lower = |zone: &str| zone.to_lowercase();
    let (theirs, ours) = (header.zone.as_deref(), locality.zone_name());
    if theirs.map(lower) != ours.map(lower) {
        let shown = |zone: Option<&str>| zone.map_or("no zone".to_owned(), |zone| format!("zone {zone:?}"));
        return Err(broken(format!(
            "its routes are those of {}, and this client's of {}",
            shown(theirs),
            shown(ours)
        )));
    }
    let mut content = Content::default();
    let mut routes = FxHashMap::default();
    let mut lines = 0;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Err(broken("it is torn: its last line is missing".to_owned()));
        }
        match serde_json::from_slice::<Line<TopicRouteData, Name>>(&line) {
            Ok(Line::End { lines: all }) => {
                line.clear();
                if all != lines || input.read_until(b'\n', &mut line)? != 0 {
                    return Err(broken("it is torn: lines are missing, or too many".to_owned()));
                }
                return Ok(content);
            }
            Ok(Line::Route { number, data }) => {
                let route = Arc::new(change::in_order(locality.route(data)));
                routes.insert(number, (route, XxHash3_128::oneshot(&line)));
            }
            Ok(Line::Topic { name, route, source, confirmed_at }) => match routes.get(&route) {
                Some((route, body)) if !name.is_empty() => content.entries.push(Entry {
                    topic: name,
                    route: Arc::clone(route),
                    body: *body,
                    source,
                    confirmed_at,
                }),
                _ => content.bad += 1,
            },
            Err(_) => content.bad += 1,
        }
        lines += 1;
    }
}

/// Writes these routes, each with the time at which it was confirmed.
///
/// # Errors
/// What the file says; `FileTooLarge` before it is longer than `most`.
pub(super) fn write(
    file: impl Write,
    zone: Option<&str>,
    kept: &[Arc<Cached>],
    confirmed_at: impl Fn(&Cached) -> u64,
    most: u64,
) -> io::Result<()> {
    let mut out = Lines { out: BufWriter::with_capacity(64 << 10, file), left: most, line: Vec::new() };
    out.write(&Header { format: FORMAT.into(), version: VERSION, zone: zone.map(Cow::from) })?;
    let (mut routes, mut lines) = (FxHashMap::default(), 0);
    for cached in kept {
        let number = routes.len();
        // The same route is the same piece of memory.
        let route = match routes.entry(Arc::as_ptr(&cached.route)) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let data = as_advertised(&cached.route);
                out.write(&Line::<_, &str>::Route { number, data: &*data })?;
                lines += 1;
                *new.insert(number)
            }
        };
        let (name, source) = (cached.topic.as_str(), cached.source.as_str());
        let confirmed_at = confirmed_at(cached);
        out.write(&Line::<&TopicRouteData, _>::Topic { name, route, source, confirmed_at })?;
        lines += 1;
    }
    out.write(&Line::<&TopicRouteData, &str>::End { lines })?;
    out.out.flush()
}

/// Lines of text, up to a length.
struct Lines<W: Write> {
    out: BufWriter<W>,
    left: u64,
    line: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        let longer = || io::Error::new(io::ErrorKind::FileTooLarge, "there are too many routes for one file");
        self.left = self.left.checked_sub(self.line.len() as u64).ok_or_else(longer)?;
        self.out.write_all(&self.line)
    }
}

fn broken(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
