//! The servers that a call has not asked yet.

use super::set::{Member, ServerSet};

/// Which servers may be asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// Any, because there is no answer yet.
    Any,
    /// Those that are not known to fail, for a second opinion: one that is only slow has a right to be heard.
    NotDown,
    /// Those of which nothing bad is known, to be faster.
    Well,
}

impl May {
    fn ask(self, member: &Member<'_>) -> bool {
        match self {
            May::Any => true,
            May::NotDown => !member.is_down(),
            May::Well => !member.is_failed(),
        }
    }
}

/// What is left of a set. Those behind the first are put in order when somebody gets that far.
pub(super) struct Candidates<'a> {
    set: &'a ServerSet,
    first: Option<Member<'a>>,
    /// As it was at the start.
    skip: Option<Member<'a>>,
    behind: Option<Vec<Member<'a>>>,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(set: &'a ServerSet) -> Self {
        let first = set.first();
        Candidates { set, first, skip: first, behind: None }
    }

    pub(super) fn len(&self) -> usize {
        let behind = self.behind.as_ref().map_or(self.set.len().saturating_sub(1), Vec::len);
        behind + usize::from(self.first.is_some())
    }

    /// The next one that may be asked.
    pub(super) fn take(&mut self, may: May) -> Option<Member<'a>> {
        if let Some(first) = self.first.take_if(|first| may.ask(first)) {
            return Some(first);
        }
        let behind = self.behind();
        // Health may have changed since they were put in order.
        let well = behind.iter().position(|member| !member.is_failed());
        let next = well.or_else(|| behind.iter().position(|member| may.ask(member)))?;
        Some(behind.remove(next))
    }

    /// Whether there is a next one.
    pub(super) fn has_more(&mut self, may: May) -> bool {
        self.first.is_some_and(|first| may.ask(&first)) || self.behind().iter().any(|member| may.ask(member))
    }

    /// One that was taken and not asked.
    pub(super) fn put_back(&mut self, member: Member<'a>) {
        self.behind().insert(0, member);
    }

    fn behind(&mut self) -> &mut Vec<Member<'a>> {
        let (set, skip) = (self.set, self.skip);
        self.behind.get_or_insert_with(|| {
            set.ranked().filter(|member| skip.is_none_or(|skip| !skip.is_same(member))).collect()
        })
    }
}
