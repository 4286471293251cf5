//! The servers that a call has not asked yet.

use super::set::{Member, ServerSet};

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

    /// The next one, or the next one that is not known to fail.
    pub(super) fn take(&mut self, must_be_well: bool) -> Option<Member<'a>> {
        if let Some(first) = self.first.take_if(|first| !(must_be_well && first.is_failed())) {
            return Some(first);
        }
        let behind = self.behind();
        // Health may have changed since they were put in order.
        let well = behind.iter().position(|member| !member.is_failed());
        let next = if must_be_well { well? } else { well.unwrap_or(0) };
        (next < behind.len()).then(|| behind.remove(next))
    }

    /// Whether there is a next one.
    pub(super) fn has_more(&mut self, must_be_well: bool) -> bool {
        if !must_be_well {
            return self.len() > 0;
        }
        self.first.is_some_and(|first| !first.is_failed())
            || self.behind().iter().any(|member| !member.is_failed())
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
