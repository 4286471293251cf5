//! Third stop: one connection, from bytes to commands and back.
//!
//! Before it comes [`serve`](crate::serve), whose task this is; behind it [`dispatch`](crate::dispatch). It reads, answers
//! every whole frame of that read, writes the answers together, and reads again. While the peer does not take its
//! answers nothing is read, so a connection holds at most one partial frame, the rest of one read and one portion of
//! answers. While it waits between requests it holds nothing: a server has thousands of connections, and most of them
//! wait. So what is rare and large is in a box, too: all that is kept across an `.await` is part of the task, for good.

use std::future::poll_fn;
use std::io;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{EncodeError, ProtocolError, Refusal};
use rocketmq_nameserver_protocol::frame::{self, SerializeType};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use crate::budget::{Budget, Share};
use crate::config::Limits;
use crate::dispatch::{Dispatcher, Reply};
use crate::fault::{Fault, Faults};
use crate::spare_outputs::SpareOutputs;
use crate::table::ConnectionId;

/// When answers are written although more requests are waiting, in bytes: a short request can have a long answer.
const WRITE_PORTION: usize = 256 * 1024;

/// How much the first read after a wait may take, in bytes; it lies on the stack. Some thirty questions: their answers fit
/// into a spare output, and who asks more at once reads those while the next are made. With 16 KiB it was a third slower.
const FIRST_READ: usize = 4 * 1024;

/// From which size on a frame must not take as long as it likes, neither on its way nor when it is answered, in bytes.
const LARGE_FRAME: usize = 64 * 1024;

/// One connection and its buffers.
pub(crate) struct Connection<'a, S> {
    stream: S,
    id: ConnectionId,
    dispatcher: Arc<Dispatcher>,
    /// Whether the connection has ended, for what it has set off and is still under way.
    ended: Arc<AtomicBool>,
    limits: Limits,
    input: BytesMut,
    output: BytesMut,
    spare_outputs: &'a SpareOutputs,
    share: Share<'a>,
    /// Since when a large frame is on its way.
    large_since: Option<Instant>,
    /// How many bytes must have come before the first frame is looked at; 0 once they have.
    first_bytes: usize,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, S> {
    pub(crate) fn new(
        stream: S,
        id: ConnectionId,
        dispatcher: &Arc<Dispatcher>,
        ended: Arc<AtomicBool>,
        limits: Limits,
        budget: &'a Budget,
        spare_outputs: &'a SpareOutputs,
    ) -> Self {
        Connection {
            stream,
            id,
            dispatcher: Arc::clone(dispatcher),
            ended,
            limits,
            input: BytesMut::new(),
            output: BytesMut::new(),
            spare_outputs,
            share: Share::new(budget),
            large_since: None,
            first_bytes: dispatcher.personality().first_bytes(),
        }
    }

    /// Serves until the stream ends; the errors are those of
    /// [`NameServer::serve_stream`](crate::NameServer::serve_stream).
    pub(crate) async fn run(&mut self) -> io::Result<()> {
        while self.read().await? > 0 {
            if self.input.len() < self.first_bytes {
                continue;
            }
            self.first_bytes = 0;
            loop {
                let answered = self.answer_frames();
                self.dispatcher.carry_out_farewells();
                if !self.output.is_empty() {
                    self.dispatcher.faults().delay().await;
                }
                // What was answered before a bad frame is still owed.
                self.write().await?;
                match answered? {
                    Answered::All => break,
                    Answered::Portion => {}
                    Answered::Slow(request, form) => {
                        let answered = self.answer_aside(request, form).await;
                        if answered.is_err() {
                            self.write().await?;
                        }
                        answered?;
                    }
                }
            }
        }
        if self.input.is_empty() {
            Ok(())
        } else {
            let have = self.input.len();
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, ProtocolError::Truncated { have }))
        }
    }

    /// Answers the whole frames in the input, in their order, until there are none or a portion is full.
    fn answer_frames(&mut self) -> io::Result<Answered> {
        while self.output.len() < WRITE_PORTION {
            let limit = self.limits.max_frame_size;
            let Some(frame) = frame::cut(&mut self.input, limit).map_err(invalid)? else {
                return Ok(Answered::All);
            };
            let form = frame.serialize_type;
            let request = Command::from_frame(frame).map_err(invalid)?;
            let faults = self.dispatcher.faults().now();
            if faults.has(Fault::Refuse) {
                return Err(at_fault(Fault::Refuse));
            }
            if request.body.len() >= LARGE_FRAME || self.dispatcher.is_slow(&request) {
                return Ok(Answered::Slow(Box::new(request), form));
            }
            let reply = self.dispatcher.answer(self.id, request, form, faults);
            self.take_reply(reply, faults)?;
        }
        Ok(Answered::Portion)
    }

    /// Answers a request that takes its time on a thread where it holds nobody up: a broker with thousands of topics, a change
    /// that is written to a file.
    async fn answer_aside(&mut self, request: Box<Command>, form: SerializeType) -> io::Result<()> {
        let (dispatcher, id, ended) = (Arc::clone(&self.dispatcher), self.id, Arc::clone(&self.ended));
        let answering = tokio::task::spawn_blocking(move || {
            let faults = dispatcher.faults().now();
            let reply = dispatcher.answer(id, *request, form, faults);
            if ended.load(Ordering::SeqCst) {
                // Its brokers went with it, and this one came after them.
                dispatcher.connection_closed(id);
            }
            (reply, faults)
        });
        let (reply, faults) = answering.await.map_err(io::Error::other)?;
        self.take_reply(reply, faults)
    }

    fn take_reply(&mut self, reply: Option<Reply>, faults: Faults) -> io::Result<()> {
        let Some(reply) = reply else { return Ok(()) };
        if self.output.capacity() == 0 {
            self.output = self.spare_outputs.take();
        }
        let before = self.output.len();
        self.put(&reply).map_err(io::Error::other)?;
        self.share.take(self.input.capacity() + self.output.capacity()).inspect_err(|_| {
            // There is no room to wait in until the peer takes it.
            self.output = BytesMut::new();
        })?;
        if faults.has(Fault::HalfFrame) {
            self.output.truncate(before.midpoint(self.output.len()));
            return Err(at_fault(Fault::HalfFrame));
        }
        Ok(())
    }

    /// Appends an answer to the output, or the reason why it cannot be sent.
    fn put(&mut self, reply: &Reply) -> Result<(), EncodeError> {
        let limit = self.limits.max_frame_size;
        reply.command.encode(reply.form, limit, &mut self.output).or_else(|error| {
            Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string())
                .into_response(reply.command.header.opaque)
                .encode(reply.form, limit, &mut self.output)
        })
    }

    /// Reads once; 0 is the end of the stream.
    async fn read(&mut self) -> io::Result<usize> {
        let is_first = self.input.is_empty();
        if is_first {
            self.input = BytesMut::new();
        } else {
            frame::make_room(&mut self.input, self.limits.max_frame_size);
        }
        self.share.take(self.input.capacity() + self.output.capacity())?;
        let limit = self.time_left();
        if is_first {
            within(limit, first_read(&mut self.stream, &mut self.input)).await
        } else {
            within(limit, self.stream.read_buf(&mut self.input)).await
        }
    }

    /// How long the next read may take: a large frame has to be there in all within the time that others have for each read,
    /// because it holds what others may need.
    fn time_left(&mut self) -> Duration {
        if self.input.len() < LARGE_FRAME {
            self.large_since = None;
            return self.limits.idle_timeout;
        }
        let since = *self.large_since.get_or_insert_with(Instant::now);
        self.limits.idle_timeout.saturating_sub(since.elapsed())
    }

    /// Writes all answers that there are.
    async fn write(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let mut written = 0;
        while let Some(rest) = self.output.get(written..).filter(|rest| !rest.is_empty()) {
            match within(self.limits.idle_timeout, self.stream.write(rest)).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => written += more,
            }
        }
        within(self.limits.idle_timeout, self.stream.flush()).await?;
        self.spare_outputs.give(mem::take(&mut self.output));
        Ok(())
    }
}

/// How far the frames of one read were answered.
enum Answered {
    /// No whole frame is left.
    All,
    /// The output is full; there may be more.
    Portion,
    /// This one is next, and takes its time.
    Slow(Box<Command>, SerializeType),
}

/// Reads into `input`, which has no room yet: it gets as much as has come, when it has come. Nothing is lost if the future
/// is dropped.
fn first_read<S: AsyncRead + Unpin>(
    stream: &mut S,
    input: &mut BytesMut,
) -> impl Future<Output = io::Result<usize>> {
    poll_fn(move |context| {
        let mut room = [const { MaybeUninit::uninit() }; FIRST_READ];
        let mut room = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut room))?;
        input.extend_from_slice(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    })
}

/// A connection is closed because the server was told to do so.
pub(crate) fn at_fault(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, format!("the fault {fault} is on"))
}

fn invalid(error: ProtocolError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// One step of the stream, or `TimedOut`. Every byte that moves either way ends a step and starts the time anew.
async fn within<T>(limit: Duration, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(limit, step).await {
        Ok(done) => done,
        Err(_) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing was read or written for {limit:?}")))
        }
    }
}
