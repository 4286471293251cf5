//! A caller's look into the cache: a hit, which costs next to nothing, or what waits for an answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::RouteCache;
use super::entry::CachedRoute;
use super::table::Found;
use crate::error::Result;

/// A lookup under way. A hit is there when the future is made, so nothing stands between a caller and its route but one look at
/// which of the two this is. Two words, which travel in registers; so what asks is behind one more box.
pub(super) enum Lookup<'a> {
    Hit(CachedRoute),
    /// Nothing after the end.
    Asking(Option<Box<Asking<'a>>>),
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<CachedRoute>> + Send + 'a>>;

impl Future for Lookup<'_> {
    type Output = Result<CachedRoute>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match std::mem::replace(this, Lookup::Asking(None)) {
            Lookup::Hit(route) => Poll::Ready(Ok(route)),
            Lookup::Asking(None) => Poll::Pending,
            Lookup::Asking(Some(mut asking)) => {
                let answer = asking.as_mut().as_mut().poll(cx);
                if answer.is_pending() {
                    *this = Lookup::Asking(Some(asking));
                }
                answer
            }
        }
    }
}

impl RouteCache {
    /// For what was found and is no hit.
    #[inline(never)]
    pub(super) fn look_further<'a>(&'a self, topic: &'a str, found: Found) -> Lookup<'a> {
        Lookup::Asking(Some(Box::new(Box::pin(async move {
            self.open()?;
            // Nothing is an answer only after the snapshot was read.
            let found = match found {
                Found::Nothing if self.snapshot_read().await => {
                    self.shared.table.find(topic, self.shared.now())
                }
                found => found,
            };
            match found {
                Found::Fresh(route) => {
                    // Nobody looks after what was loaded yet; outside of a runtime nobody can.
                    let _unable = self.keep_up();
                    Ok(route)
                }
                Found::Stale(route) => {
                    self.refresh_behind(topic)?;
                    Ok(route)
                }
                Found::Nothing => self.answer(topic, |now| self.shared.table.ask(topic, now)).await,
            }
        }))))
    }
}
