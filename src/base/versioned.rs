//! Rows with a memory: a table answers as of any revision that somebody may still ask about.
//!
//! One log orders all changes of a store; each table keeps one undo per change of its own. A
//! [`Reader`] is a table as one process sees it, at its cursor. Knows nothing of what a row means, of
//! processes, or of time.

use std::collections::{BTreeMap, VecDeque};

use super::id::Row;

/// A position in the change log: how many changes came before and with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// As of now, whatever now is.
    pub const LIVE: Revision = Revision(u64::MAX);
}

/// Rows of `T` with the values they had since the horizon.
///
/// ```
/// use windtunnel::base::{Reader, Revision, Table};
/// let mut table: Table<u32> = Table::default();
/// let row = table.vacant();
/// table.write(row, Revision(1), Some(10));
/// table.write(row, Revision(2), Some(20));
/// assert_eq!(Reader::new(&table, Revision(1)).get(row), Some(&10));
/// assert_eq!(Reader::new(&table, Revision(2)).get(row), Some(&20));
/// table.trim();
/// table.trim();
/// assert_eq!(Reader::new(&table, Revision::LIVE).get(row), Some(&20));
/// ```
#[derive(Debug)]
pub struct Table<T> {
    cells: Vec<Cell<T>>,
    undos: VecDeque<Undo<T>>,
    /// How many undos were trimmed; undo numbers wrap, distances do not.
    trimmed: u32,
    free: Vec<Row<T>>,
}

/// Invariant: a version newer than the trim horizon has an undo, so `since` alone says whether
/// `undo` may be followed.
#[derive(Debug)]
struct Cell<T> {
    since: Revision,
    undo: u32,
    value: Option<T>,
}

#[derive(Debug)]
struct Undo<T> {
    since: Revision,
    older: u32,
    row: Row<T>,
    value: Option<T>,
}

/// A table as one process sees it. `Copy`, two words.
pub struct Reader<'a, T> {
    table: &'a Table<T>,
    as_of: Revision,
}

/// One change of one row, as a watch tells it: no old value is an addition, no new one a deletion.
#[derive(Debug)]
pub struct Edit<'a, T> {
    /// Which row.
    pub row: Row<T>,
    /// Which change.
    pub revision: Revision,
    /// The value before.
    pub old: Option<&'a T>,
    /// The value after.
    pub new: Option<&'a T>,
}

/// Key to rows, over all retained versions: a row stays under every key that it has in any of them,
/// so a reader filters by the row as of its cursor. Exact when nothing is in flight.
#[derive(Debug)]
pub struct Index<T> {
    members: BTreeMap<(u32, Row<T>), u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { cells: Vec::new(), undos: VecDeque::new(), trimmed: 0, free: Vec::new() }
    }
}

impl<T: Copy> Table<T> {
    /// A row that nobody uses or may still read.
    pub fn vacant(&mut self) -> Row<T> {
        self.free.pop().unwrap_or_else(|| {
            self.cells.push(Cell { since: Revision(0), undo: 0, value: None });
            Row::at(self.cells.len() - 1)
        })
    }

    /// Sets or deletes a row at a revision newer than its last.
    pub fn write(&mut self, row: Row<T>, revision: Revision, value: Option<T>) {
        let number = self.trimmed.wrapping_add(undo_distance(self.undos.len()));
        let cell = &mut self.cells[row.index()];
        assert!(cell.since < revision, "revisions of a row rise");
        self.undos.push_back(Undo { since: cell.since, older: cell.undo, row, value: cell.value });
        *cell = Cell { since: revision, undo: number, value };
    }

    /// Changes a row that has a value, at a revision newer than its last.
    pub fn change(&mut self, row: Row<T>, revision: Revision, change: impl FnOnce(&mut T)) {
        let number = self.trimmed.wrapping_add(undo_distance(self.undos.len()));
        let cell = &mut self.cells[row.index()];
        assert!(cell.since < revision, "revisions of a row rise");
        self.undos.push_back(Undo { since: cell.since, older: cell.undo, row, value: cell.value });
        change(cell.value.as_mut().expect("a row that changes has a value"));
        (cell.since, cell.undo) = (revision, number);
    }

    /// Changes a row that has a value, as part of its last change: nobody may have read that one.
    pub fn amend(&mut self, row: Row<T>, change: impl FnOnce(&mut T)) {
        change(self.cells[row.index()].value.as_mut().expect("a row that changes has a value"));
    }

    /// Forgets the oldest change and hands back what it overwrote. A row whose last change is a
    /// forgotten deletion becomes vacant.
    #[inline]
    pub fn trim(&mut self) -> (Row<T>, Option<T>) {
        let undo = self.undos.pop_front().expect("one undo per change");
        let cell = &self.cells[undo.row.index()];
        if cell.value.is_none() && cell.undo == self.trimmed {
            self.free.push(undo.row);
        }
        self.trimmed = self.trimmed.wrapping_add(1);
        (undo.row, undo.value)
    }

    /// How many rows were ever in use at once.
    pub fn rows(&self) -> usize {
        self.cells.len()
    }

    fn read(&self, row: Row<T>, as_of: Revision) -> Option<&T> {
        let cell = self.cells.get(row.index())?;
        if cell.since <= as_of { cell.value.as_ref() } else { self.walk(cell.undo, as_of) }
    }

    #[cold]
    fn walk(&self, mut number: u32, as_of: Revision) -> Option<&T> {
        loop {
            let undo = &self.undos[number.wrapping_sub(self.trimmed) as usize];
            if undo.since <= as_of {
                return undo.value.as_ref();
            }
            number = undo.older;
        }
    }
}

fn undo_distance(undos: usize) -> u32 {
    u32::try_from(undos).expect("fewer than 2^32 changes in flight")
}

impl<T> Clone for Reader<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Reader<'_, T> {}

impl<'a, T: Copy> Reader<'a, T> {
    /// `table` as of a revision between the horizon and the head.
    pub const fn new(table: &'a Table<T>, as_of: Revision) -> Self {
        Reader { table, as_of }
    }

    /// The value of a row, if it exists as of the cursor.
    pub fn get(self, row: Row<T>) -> Option<&'a T> {
        self.table.read(row, self.as_of)
    }

    /// Every row that exists as of the cursor, in row order.
    pub fn iter(self) -> impl Iterator<Item = (Row<T>, &'a T)> {
        (0..self.table.rows()).map(Row::at).filter_map(move |row| Some((row, self.get(row)?)))
    }

    /// The change that happened to `row` exactly at the cursor.
    pub fn edit(self, row: Row<T>) -> Edit<'a, T> {
        let before = Revision(self.as_of.0 - 1);
        Edit { row, revision: self.as_of, old: self.table.read(row, before), new: self.get(row) }
    }
}

impl<T> std::fmt::Debug for Reader<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader as of {:?}", self.as_of)
    }
}

impl<T> Clone for Edit<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Edit<'_, T> {}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Index { members: BTreeMap::new() }
    }
}

impl<T: Copy> Index<T> {
    /// A version of `row` with this key was written.
    pub fn enter(&mut self, key: u32, row: Row<T>) {
        *self.members.entry((key, row)).or_insert(0) += 1;
    }

    /// The last change away from a version with this key was trimmed.
    pub fn leave(&mut self, key: u32, row: Row<T>) {
        let count = self.members.get_mut(&(key, row)).expect("what leaves has entered");
        *count -= 1;
        if *count == 0 {
            self.members.remove(&(key, row));
        }
    }

    /// Every row that has or had this key, in row order.
    pub fn rows(&self, key: u32) -> impl Iterator<Item = Row<T>> {
        self.members
            .range((key, Row::at(0))..)
            .map(|(&member, _)| member)
            .take_while(move |&(of, _)| of == key)
            .map(|(_, row)| row)
    }

    /// How many (key, row) pairs are retained.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nothing is retained.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A value is its own key in the index.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Create(u32),
        Write(usize, u32),
        Delete(usize),
        Trim(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..4_u32).prop_map(Step::Create),
            4 => (0..20_usize, 0..4_u32).prop_map(|(pick, value)| Step::Write(pick, value)),
            2 => (0..20_usize).prop_map(Step::Delete),
            2 => (1..9_usize).prop_map(Step::Trim),
        ];
        prop::collection::vec(step, 1..120)
    }

    /// A table and its index beside a full copy of every revision.
    struct Twins {
        table: Table<u32>,
        index: Index<u32>,
        copies: Vec<BTreeMap<Row<u32>, u32>>,
        /// The row of each change.
        changed: Vec<Row<u32>>,
        horizon: usize,
    }

    impl Twins {
        fn starting_at(trimmed: u32) -> Self {
            let table = Table { trimmed, ..Table::default() };
            let copies = vec![BTreeMap::new()];
            Twins { table, index: Index::default(), copies, changed: Vec::new(), horizon: 0 }
        }

        fn newest(&self) -> &BTreeMap<Row<u32>, u32> {
            self.copies.last().expect("one at least")
        }

        fn step(&mut self, step: Step) {
            let pick = |index: usize| self.newest().keys().nth(index % self.newest().len().max(1)).copied();
            match step {
                Step::Create(value) => {
                    let row = self.table.vacant();
                    let readable = self.copies[self.horizon..].iter().any(|copy| copy.contains_key(&row));
                    assert!(!readable, "a row that somebody may read is not given away");
                    self.write(row, Some(value));
                }
                Step::Write(index, value) => {
                    if let Some(row) = pick(index) {
                        self.write(row, Some(value));
                    }
                }
                Step::Delete(index) => {
                    if let Some(row) = pick(index) {
                        self.write(row, None);
                    }
                }
                Step::Trim(changes) => {
                    for _ in 0..changes.min(self.changed.len() - self.horizon) {
                        self.trim();
                    }
                }
            }
        }

        fn write(&mut self, row: Row<u32>, value: Option<u32>) {
            let mut copy = self.newest().clone();
            let old = copy.remove(&row);
            if let Some(value) = value {
                copy.insert(row, value);
            }
            self.copies.push(copy);
            self.changed.push(row);
            self.table.write(row, Revision(self.changed.len() as u64), value);
            if let Some(key) = value.filter(|_| value != old) {
                self.index.enter(key, row);
            }
        }

        fn trim(&mut self) {
            let row = self.changed[self.horizon];
            let [old, new] = [0, 1].map(|later| self.copies[self.horizon + later].get(&row).copied());
            assert_eq!(self.table.trim(), (row, old));
            if let Some(key) = old.filter(|_| old != new) {
                self.index.leave(key, row);
            }
            self.horizon += 1;
        }

        fn compare(&self) {
            for (number, copy) in self.copies.iter().enumerate().skip(self.horizon) {
                let reader = Reader::new(&self.table, Revision(number as u64));
                assert!(reader.iter().eq(copy.iter().map(|(row, value)| (*row, value))), "as of {number}");
                if number > self.horizon {
                    let row = self.changed[number - 1];
                    let Edit { row: edited, revision, old, new } = reader.edit(row);
                    assert_eq!((edited, revision.0), (row, number as u64));
                    assert_eq!((old, new), (self.copies[number - 1].get(&row), copy.get(&row)));
                }
            }
            let retained: BTreeSet<(u32, Row<u32>)> =
                self.copies[self.horizon..].iter().flatten().map(|(row, value)| (*value, *row)).collect();
            assert_eq!(self.index.len(), retained.len());
            assert_eq!(self.index.is_empty(), retained.is_empty());
            for key in 0..4 {
                let rows = retained.iter().filter(|(value, _)| *value == key).map(|(_, row)| *row);
                assert!(self.index.rows(key).eq(rows), "rows of {key}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_retained_revision_equals_a_copy_taken_then(steps in steps(), before_wrap in 0..60_u32) {
            // The numbers of undos pass 2^32 during most runs.
            let mut twins = Twins::starting_at(u32::MAX - before_wrap);
            for step in steps {
                twins.step(step);
                twins.compare();
            }
            twins.step(Step::Trim(usize::MAX));
            twins.compare();
            let (rows, live) = (twins.table.rows(), twins.newest().len());
            for _ in live..rows {
                twins.step(Step::Create(0));
            }
            prop_assert_eq!(twins.table.rows(), rows, "every row is used again");
            twins.step(Step::Create(0));
            prop_assert_eq!(twins.table.rows(), rows + 1);
        }
    }

    #[test]
    #[should_panic(expected = "revisions of a row rise")]
    fn a_revision_is_written_once() {
        let mut table: Table<u32> = Table::default();
        let row = table.vacant();
        table.write(row, Revision(3), Some(1));
        table.write(row, Revision(3), None);
    }

    #[test]
    fn a_row_beyond_the_table_is_empty() {
        let table: Table<u32> = Table::default();
        assert_eq!(Reader::new(&table, Revision::LIVE).get(Row::at(0)), None);
    }
}
