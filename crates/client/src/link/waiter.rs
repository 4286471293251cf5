//! Who waits for an answer: a caller for one, or a caller for many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rocketmq_nameserver_protocol::command::Command;
use tokio::sync::oneshot;

use super::Broken;

/// What came of a request.
pub(crate) type Answered = Result<Command, Broken>;

/// Gets the answer to one request.
#[derive(Debug)]
pub(super) enum Waiter {
    One(oneshot::Sender<Answered>),
    /// One of many, and which of them.
    OfMany(Arc<Answers>, usize),
}

impl Waiter {
    pub(super) fn answer(self, answered: Answered) {
        match self {
            // A caller that is gone needs no answer.
            Waiter::One(waiter) => drop(waiter.send(answered)),
            Waiter::OfMany(answers, which) => answers.put(which, answered),
        }
    }

    /// Whether the caller is gone.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Waiter::One(waiter) => waiter.is_closed(),
            // It cancels its requests when it goes.
            Waiter::OfMany(..) => false,
        }
    }
}

/// Answers on their way to one caller that has asked much. They are taken all at once, so one wake-up is enough for all that
/// one read of the socket brings.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Unread>);

#[derive(Debug, Default)]
struct Unread {
    answers: Vec<(usize, Answered)>,
    reader: Option<Waker>,
}

impl Answers {
    fn put(&self, which: usize, answered: Answered) {
        let mut unread = self.unread();
        unread.answers.push((which, answered));
        let reader = unread.reader.take();
        drop(unread);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Moves all answers into `answers`, which must be empty; pending while there is none.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, answers: &mut Vec<(usize, Answered)>) -> Poll<()> {
        debug_assert!(answers.is_empty());
        let mut unread = self.unread();
        if unread.answers.is_empty() {
            unread.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut unread.answers, answers);
        Poll::Ready(())
    }

    /// Nothing panics while this lock is held.
    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
