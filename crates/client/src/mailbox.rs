//! The way from callers to the task that owns a connection.
//!
//! Unlike a channel it is closed with a reason and gives back, at that very moment, all that nobody will read. So no
//! letter is ever left in it, and no caller waits for an answer that cannot come.

use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Letters of type `T` for one reader, until it is closed for the reason `R`.
#[derive(Debug)]
pub(crate) struct Mailbox<T, R>(Mutex<State<T, R>>);

#[derive(Debug)]
struct State<T, R> {
    letters: Vec<T>,
    closed: Option<R>,
    reader: Option<Waker>,
}

impl<T, R: Clone> Mailbox<T, R> {
    pub(crate) fn new() -> Self {
        Mailbox(Mutex::new(State { letters: Vec::new(), closed: None, reader: None }))
    }

    /// Puts a letter in and wakes the reader, or says why it is closed.
    pub(crate) fn send(&self, letter: T) -> Result<(), R> {
        self.send_all(iter::once(letter))
    }

    /// Puts many letters in and wakes the reader once, or says why it is closed; then `letters` was not looked at.
    pub(crate) fn send_all(&self, letters: impl Iterator<Item = T>) -> Result<(), R> {
        let mut state = self.state();
        if let Some(reason) = &state.closed {
            return Err(reason.clone());
        }
        state.letters.extend(letters);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }

    /// Moves all letters into `letters`, which must be empty. The reader is woken when there are more.
    pub(crate) fn take(&self, cx: &mut Context<'_>, letters: &mut Vec<T>) {
        debug_assert!(letters.is_empty());
        let mut state = self.state();
        std::mem::swap(&mut state.letters, letters);
        if state.reader.as_ref().is_none_or(|reader| !reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
    }

    /// Closes it, unless it is closed already, and gives back the letters that nobody has read. The first reason stays.
    pub(crate) fn close(&self, reason: R) -> Vec<T> {
        let mut state = self.state();
        state.closed.get_or_insert(reason);
        state.reader = None;
        std::mem::take(&mut state.letters)
    }

    /// Why it is closed, if it is.
    pub(crate) fn closed(&self) -> Option<R> {
        self.state().closed.clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    /// No code panics while it holds this lock.
    fn state(&self) -> MutexGuard<'_, State<T, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl std::task::Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn letters_arrive_in_order_and_wake_the_reader_once() {
        type Letters = Mailbox<i32, &'static str>;
        let one_by_one = |mailbox: &Letters| (0..3).try_for_each(|letter| mailbox.send(letter));
        let at_once = |mailbox: &Letters| mailbox.send_all(0..3);
        for send in [one_by_one as fn(&Letters) -> Result<(), &'static str>, at_once] {
            let wakes = Arc::new(Wakes::default());
            let waker = Waker::from(Arc::clone(&wakes));
            let mut cx = Context::from_waker(&waker);
            let mailbox = Letters::new();
            let mut letters = Vec::new();
            for round in 1..3 {
                letters.clear();
                mailbox.take(&mut cx, &mut letters);
                assert!(letters.is_empty());
                send(&mailbox).unwrap();
                assert_eq!(wakes.0.load(Ordering::SeqCst), round);
                mailbox.take(&mut cx, &mut letters);
                assert_eq!(letters, [0, 1, 2]);
            }
        }
    }

    #[test]
    fn no_letter_is_made_for_a_closed_mailbox() {
        let mailbox: Mailbox<i32, &str> = Mailbox::new();
        mailbox.close("closed");
        assert_eq!(mailbox.send_all((0..3).inspect(|_| panic!("nobody asked"))), Err("closed"));
    }

    #[test]
    fn closing_gives_back_what_was_not_read_and_keeps_its_first_reason() {
        let mailbox: Mailbox<i32, &str> = Mailbox::new();
        mailbox.send(1).unwrap();
        assert_eq!(mailbox.close("first"), [1]);
        assert_eq!(mailbox.send(2), Err("first"));
        assert_eq!(mailbox.close("second"), Vec::<i32>::new());
        assert_eq!((mailbox.closed(), mailbox.is_closed()), (Some("first"), true));
    }

    #[test]
    fn no_letter_is_lost_between_senders_and_a_closing_reader() {
        for _ in 0..200 {
            let mailbox: Arc<Mailbox<Arc<()>, ()>> = Arc::new(Mailbox::new());
            let letter = Arc::new(());
            let send = {
                let (mailbox, letter) = (Arc::clone(&mailbox), Arc::clone(&letter));
                std::thread::spawn(move || while mailbox.send(Arc::clone(&letter)).is_ok() {})
            };
            drop(mailbox.close(()));
            send.join().unwrap();
            assert_eq!(Arc::strong_count(&letter), 1);
        }
    }
}
