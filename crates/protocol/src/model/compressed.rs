//! The compressed form of a registration's body (`docs/wire.md` §2.4): a zlib stream of sections, each behind its length in
//! 32 bits.
//!
//! Brokers send it with `compressedRegister=true`. Which release a broker is, its header says; the two sides differ in that:
//!
//! | | 4.x | 5.x |
//! |---|---|---|
//! | data version | without `stateVersion` | with it |
//! | a topic's text, written | five fields and a blank | six fields |
//! | a topic's text, read | [exactly five fields](TopicTextFields::Five) | [five or more](TopicTextFields::FiveOrMore) |
//! | static topics | none | a last section |

use std::collections::BTreeMap;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::{DataVersion, Name, Perm, RegisterBrokerBody, TopicConfig, TopicQueueMappingInfo};
use crate::code::Version;
use crate::error::{DataParseError, Reason};
use crate::json::{Dialect, to_bytes};

/// How many fields a server wants of a topic in a compressed registration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TopicTextFields {
    /// Exactly five, as a 4.x server does: it refuses what a 5.x broker compresses. It does not look for static topics either.
    Five,
    /// Five or more, as a 5.x server does. The sixth has the attributes, others are passed over.
    #[default]
    FiveOrMore,
}

/// The usual trade of time for size.
const LEVEL: u8 = 6;

/// Sections are written in this order, and read likewise.
impl RegisterBrokerBody {
    /// The most bytes that a compressed body may inflate to: as many as may come uncompressed, enough for 150,000 topics. Real servers
    /// have no such limit.
    pub const MAX_INFLATED: usize = crate::frame::DEFAULT_MAX_FRAME_SIZE;

    /// Reads a compressed body that came with a header of that version. Topics have neither order nor flag bits in it. What
    /// follows the last section is passed over.
    ///
    /// A list of filter servers that cannot be read is empty; so are attributes.
    ///
    /// # Errors
    /// [`DataParseError`], its place being one in the inflated bytes: no zlib stream, one that inflates to more than
    /// [`MAX_INFLATED`](Self::MAX_INFLATED) bytes, a length that reaches over the end, a topic with too few fields, a number or
    /// filter type that is none.
    pub fn from_compressed(
        body: &[u8],
        version: Version,
        fields: TopicTextFields,
    ) -> Result<Self, DataParseError> {
        let inflated = inflate(body)?;
        let mut sections = Sections { bytes: &inflated, at: 0 };
        let mut read = RegisterBrokerBody::default();
        let wrapper = &mut read.topic_config_serialize_wrapper;
        wrapper.data_version = Some(sections.next()?.read(DataVersion::from_bytes)?);
        for _ in 0..sections.count()? {
            let topic = topic_config(&sections.next()?, fields)?;
            wrapper.topic_config_table.insert(topic.topic_name.clone().unwrap_or_default(), topic);
        }
        read.filter_server_list = match sections.next()?.bytes {
            b"null" => None,
            list => Some(crate::json::from_bytes(list).unwrap_or_default()),
        };
        if version.is_5x() && fields == TopicTextFields::FiveOrMore {
            for _ in 0..sections.count()? {
                let mapping = sections.next()?.read(TopicQueueMappingInfo::from_bytes)?;
                if let Some(topic) = mapping.topic.clone() {
                    wrapper.topic_queue_mapping_info_map.insert(topic, mapping);
                }
            }
        }
        Ok(read)
    }

    /// Writes the body as a broker of that version compresses it.
    ///
    /// Order and flag bits of topics are lost, before 5.x attributes and static topics as well. A name with a blank in it
    /// cannot be read back. Without a data version it is all zero.
    pub fn to_compressed(&self, version: Version) -> Vec<u8> {
        let wrapper = &self.topic_config_serialize_wrapper;
        let data_version = wrapper.data_version.unwrap_or_default();
        let data_version = if version.is_5x() {
            data_version.to_bytes()
        } else {
            data_version.to_bytes_without_state_version()
        };
        let mut out = Vec::new();
        write_section(&mut out, &data_version);
        write_length(&mut out, wrapper.topic_config_table.len());
        for (key, topic) in &wrapper.topic_config_table {
            write_section(&mut out, topic_text(key, topic, version).as_bytes());
        }
        write_section(&mut out, &to_bytes(&self.filter_server_list, Dialect::Standard));
        if version.is_5x() {
            write_length(&mut out, wrapper.topic_queue_mapping_info_map.len());
            for mapping in wrapper.topic_queue_mapping_info_map.values() {
                write_section(&mut out, &mapping.to_bytes());
            }
        }
        compress_to_vec_zlib(&out, LEVEL)
    }
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, DataParseError> {
    decompress_to_vec_zlib_with_limit(body, RegisterBrokerBody::MAX_INFLATED).map_err(|error| {
        let reason = match error.status {
            TINFLStatus::HasMoreOutput => Reason::TooMany("inflated bytes"),
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => Reason::UnexpectedEnd,
            _ => Reason::Expected("a zlib stream"),
        };
        DataParseError::new(0, reason, body)
    })
}

/// A place in the inflated bytes. All reading moves it forward.
struct Sections<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The bytes between two places of all.
struct Section<'a> {
    all: &'a [u8],
    at: usize,
    bytes: &'a [u8],
}

impl<'a> Sections<'a> {
    /// A count or length. Nothing may be trusted to it.
    fn count(&mut self) -> Result<u32, DataParseError> {
        let fail = |reason| DataParseError::new(self.at, reason, self.bytes);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let word = rest.first_chunk().ok_or(fail(Reason::UnexpectedEnd))?;
        let count = u32::try_from(i32::from_be_bytes(*word)).map_err(|_| fail(Reason::Negative))?;
        self.at += word.len();
        Ok(count)
    }

    fn next(&mut self) -> Result<Section<'a>, DataParseError> {
        let at = self.at;
        let length = self.count()?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let bytes = bytes.ok_or(DataParseError::new(at, Reason::BadLength, self.bytes))?;
        let section = Section { all: self.bytes, at: self.at, bytes };
        self.at += bytes.len();
        Ok(section)
    }
}

impl Section<'_> {
    fn read<T>(&self, read: fn(&[u8]) -> Result<T, DataParseError>) -> Result<T, DataParseError> {
        read(self.bytes).map_err(|error| self.fail(error.offset, error.reason))
    }

    fn fail(&self, offset: usize, reason: Reason) -> DataParseError {
        DataParseError::new(self.at + offset, reason, self.all)
    }
}

/// `name read write perm filterType attributes`, with a blank between two. Blanks at the end do not count.
fn topic_config(section: &Section<'_>, fields: TopicTextFields) -> Result<TopicConfig, DataParseError> {
    let fail = |reason| section.fail(0, reason);
    let text = std::str::from_utf8(section.bytes)
        .map_err(|error| section.fail(error.valid_up_to(), Reason::NotUtf8))?;
    let mut parts = text.trim_end_matches(' ').split(' ');
    let mut next = || parts.next().ok_or(fail(Reason::Expected("a topic's five fields")));
    let number =
        |text: &str| text.parse::<i32>().map_err(|_| fail(Reason::Expected("a whole number of 32 bits")));
    let count = |text| u32::try_from(number(text)?).map_err(|_| fail(Reason::Negative));
    let (name, read, write, perm, filter_type) = (next()?, next()?, next()?, next()?, next()?);
    let attributes = parts.next();
    if fields == TopicTextFields::Five && attributes.is_some() {
        return Err(fail(Reason::TooMany("fields of a topic")));
    }
    if !matches!(filter_type, "SINGLE_TAG" | "MULTI_TAG") {
        return Err(fail(Reason::Expected("SINGLE_TAG or MULTI_TAG")));
    }
    let attributes =
        attributes.and_then(|text| crate::json::from_bytes::<BTreeMap<Name, Name>>(text.as_bytes()).ok());
    Ok(TopicConfig {
        attributes: attributes.unwrap_or_default(),
        perm: Perm(number(perm)?),
        read_queue_nums: count(read)?,
        topic_filter_type: Name::from(filter_type),
        topic_name: Some(Name::from(name)),
        write_queue_nums: count(write)?,
        ..TopicConfig::default()
    })
}

fn topic_text(key: &Name, topic: &TopicConfig, version: Version) -> String {
    let TopicConfig { read_queue_nums, write_queue_nums, perm, topic_filter_type, .. } = topic;
    let name = topic.topic_name.as_ref().unwrap_or(key);
    let five = format!("{name} {read_queue_nums} {write_queue_nums} {} {topic_filter_type} ", perm.0);
    if !version.is_5x() {
        return five;
    }
    // A blank would end the field. Java writes it all the same, and loses the attributes.
    let attributes = to_bytes(&topic.attributes, Dialect::Standard);
    five + &String::from_utf8_lossy(&attributes).replace(' ', "\\u0020")
}

fn write_section(out: &mut Vec<u8>, section: &[u8]) {
    write_length(out, section.len());
    out.extend_from_slice(section);
}

fn write_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
}
