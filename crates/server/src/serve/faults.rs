//! What a server is told to do wrong: see [`Fault`].

use super::{NameServer, NameServerHandle};
use crate::fault::Fault;

impl NameServer {
    /// From now on it does this wrong too, beside what it does wrong already. A second [`Fault::Slow`] takes the place of the
    /// first. [`Fault::ForgetEverything`] has happened when this returns, only connections close a moment later.
    pub fn set_fault(&self, fault: Fault) {
        tracing::info!(%fault, "fault set");
        self.shared.dispatcher.faults().add(fault);
        self.forget_if(fault == Fault::ForgetEverything);
    }

    /// From now on it does these wrong and nothing else: all change at once. [`Fault::ForgetEverything`] happens once.
    pub fn replace_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        let faults: Vec<Fault> = faults.into_iter().collect();
        let forgets = faults.contains(&Fault::ForgetEverything);
        tracing::info!(?faults, "faults replaced");
        self.shared.dispatcher.faults().replace(faults);
        self.forget_if(forgets);
    }

    /// From now on it does nothing wrong. Answers that [`Fault::Slow`] holds back leave at once; what has been forgotten or was not
    /// answered stays so.
    pub fn clear_faults(&self) {
        self.replace_faults([]);
    }

    /// What it does wrong, in the order of [`Fault`]'s list.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.dispatcher.faults().all()
    }

    fn forget_if(&self, forgets: bool) {
        if forgets {
            // In this order: whoever registers between the two is closed and registers again.
            self.shared.dispatcher.forget_everything();
            self.shared.close_all();
        }
    }
}

impl NameServerHandle {
    /// See [`NameServer::set_fault`].
    pub fn set_fault(&self, fault: Fault) {
        self.server.set_fault(fault);
    }

    /// See [`NameServer::replace_faults`].
    pub fn replace_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.server.replace_faults(faults);
    }

    /// See [`NameServer::clear_faults`].
    pub fn clear_faults(&self) {
        self.server.clear_faults();
    }

    /// See [`NameServer::faults`].
    pub fn faults(&self) -> Vec<Fault> {
        self.server.faults()
    }
}
