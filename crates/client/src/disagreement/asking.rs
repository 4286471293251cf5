//! Many requests to one server, which is given up if it does not answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use rocketmq_nameserver_protocol::request::Request;

use crate::call::{Servers, Told};
use crate::error::{ErrorKind, NameServerError, Result};
use crate::question::Question;

/// Asks all these of one server, as many at a time as the client's settings say. When as many in a row have failed because the
/// server cannot be reached or says nothing, the rest has failed for the same reason.
pub(super) async fn ask_many<R: Request>(
    server: &Servers,
    requests: &[R],
    timeout: Duration,
    question: impl Fn(&R) -> Question + Copy,
) -> Vec<Result<R::Response>> {
    let in_flight = server.config().batch_in_flight;
    let mut answers: Vec<Option<Result<R::Response>>> = requests.iter().map(|_| None).collect();
    let (is_lost, mut in_a_row) = (AtomicBool::new(false), 0);
    let mut last_error = None;
    let put = |at: usize, told: Result<Told<R::Response>>| {
        let lost = told.as_ref().err().filter(|error| is_silence(error));
        in_a_row = if lost.is_some() { in_a_row + 1 } else { 0 };
        last_error = lost.cloned().or(last_error.take());
        is_lost.fetch_or(in_a_row >= in_flight, Ordering::Relaxed);
        if let Some(place) = answers.get_mut(at) {
            *place = Some(told.map(|told| told.answer));
        }
    };
    let not_asked = {
        let mut asked = pin!(server.ask_many(requests, in_flight, timeout, question, put));
        // Dropping it forgets what is under way.
        let asked = poll_fn(|cx| match asked.as_mut().poll(cx) {
            Poll::Pending if is_lost.load(Ordering::Relaxed) => Poll::Ready(Ok(())),
            polled => polled,
        });
        asked.await.err()
    };
    let why = not_asked.or(last_error);
    let missing = |request: &R| {
        Err(match &why {
            Some(error) if !error.attempts().is_empty() => {
                question(request).failed(error.attempts().to_vec())
            }
            Some(error) => error.clone(),
            None => NameServerError::usage("the batch was not asked"),
        })
    };
    answers
        .into_iter()
        .zip(requests)
        .map(|(answer, request)| answer.unwrap_or_else(|| missing(request)))
        .collect()
}

/// Whether the server itself, or the way to it, seems to be gone.
fn is_silence(error: &NameServerError) -> bool {
    matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout)
}
