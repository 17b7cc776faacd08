//! One log that orders every change of a record, and the cursors of those who read it.
//!
//! A change is its position: revision `n` is the `n`-th change ever written. A process that is down or
//! cut off detaches its cursor, so that it holds nothing back; on return it lists. Knows nothing of
//! what a change is about.

use std::collections::VecDeque;

use crate::base::{Column, Handle, Revision, Timestamp};

/// The changes between the horizon and the head, and who has read how far.
///
/// ```
/// use windtunnel::base::{Revision, Timestamp};
/// use windtunnel::store::Log;
/// let mut log = Log::default();
/// let reader = log.open();
/// log.append(Timestamp::from_nanos(5), 'a');
/// assert_eq!(log.head(), Revision(1));
/// assert_eq!(log.trim(), None, "one reader has not seen it");
/// log.seek(reader, Revision(1));
/// assert_eq!(log.trim(), Some('a'));
/// ```
#[derive(Debug)]
pub struct Log<C> {
    changes: VecDeque<(Timestamp, C)>,
    trimmed: u64,
    cursors: Column<Revision>,
}

/// How far one process has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor(Handle<Revision>);

impl<C> Default for Log<C> {
    fn default() -> Self {
        Log { changes: VecDeque::new(), trimmed: 0, cursors: Column::new() }
    }
}

impl<C: Copy> Log<C> {
    /// Adds a change and says which revision it is.
    pub fn append(&mut self, at: Timestamp, change: C) -> Revision {
        self.changes.push_back((at, change));
        self.head()
    }

    /// The newest revision.
    pub fn head(&self) -> Revision {
        Revision(self.trimmed + self.changes.len() as u64)
    }

    /// The oldest revision that can still be read.
    pub const fn horizon(&self) -> Revision {
        Revision(self.trimmed)
    }

    /// The change with this revision, between horizon (exclusive) and head.
    pub fn change(&self, revision: Revision) -> C {
        let position = usize::try_from(revision.0 - self.trimmed - 1).expect("a position in memory");
        self.changes[position].1
    }

    /// The newest change, if it was made at this time and no attached cursor has read it.
    pub fn unread(&self, at: Timestamp) -> Option<C> {
        let &(made_at, change) = self.changes.back()?;
        let head = self.head();
        (made_at == at && self.cursors.iter().all(|(_, &read)| read < head)).then_some(change)
    }

    /// The newest revision that was written at or before `until`: what a reader with a lag may see.
    pub fn written_by(&self, until: Timestamp) -> Revision {
        if self.changes.back().is_none_or(|&(at, _)| at <= until) {
            return self.head();
        }
        Revision(self.trimmed + self.changes.partition_point(|&(at, _)| at <= until) as u64)
    }

    /// A cursor at the head.
    pub fn open(&mut self) -> Cursor {
        let head = self.head();
        Cursor(self.cursors.insert(head))
    }

    /// How far this cursor has read; none once it was detached.
    pub fn read_up_to(&self, cursor: Cursor) -> Option<Revision> {
        self.cursors.checked(cursor.0).copied()
    }

    /// Moves a cursor forward.
    pub fn seek(&mut self, cursor: Cursor, to: Revision) {
        let head = self.head();
        let at = self.cursors.checked_mut(cursor.0).expect("an attached cursor");
        assert!(*at <= to && to <= head, "a cursor moves forward, to what is written");
        *at = to;
    }

    /// Lets go of a cursor: it holds nothing back any more.
    pub fn detach(&mut self, cursor: Cursor) {
        if self.cursors.checked(cursor.0).is_some() {
            self.cursors.remove(cursor.0.row);
        }
    }

    /// Forgets the oldest change, if every attached cursor has read it, and says which it was.
    pub fn trim(&mut self) -> Option<C> {
        let read_by_all = self.cursors.iter().map(|(_, &at)| at).min().unwrap_or(self.head());
        if self.horizon() >= read_by_all {
            return None;
        }
        let (_, change) = self.changes.pop_front()?;
        self.trimmed += 1;
        Some(change)
    }
}
