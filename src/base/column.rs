//! A column of rows that are reused, with a generation that notices.
//!
//! Knows nothing of revisions: what processes read late lives in [`versioned`](super::versioned).

use super::id::{Handle, Row};

/// Rows of `T`, reused after removal, last removed first.
///
/// ```
/// use windtunnel::base::Column;
/// let mut column = Column::new();
/// let a = column.insert('a');
/// let b = column.insert('b');
/// assert_eq!(column.remove(a.row), Some('a'));
/// assert_eq!(column.iter().map(|(_, c)| *c).collect::<String>(), "b");
/// assert_eq!(column[b.row], 'b');
/// ```
#[derive(Clone, Debug)]
pub struct Column<T> {
    slots: Vec<Slot<T>>,
    free: Vec<Row<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Column::new()
    }
}

impl<T> Column<T> {
    /// An empty column.
    pub const fn new() -> Self {
        Column { slots: Vec::new(), free: Vec::new() }
    }

    /// Gives `value` a place.
    pub fn insert(&mut self, value: T) -> Handle<T> {
        let row = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            Row::at(self.slots.len() - 1)
        });
        let slot = &mut self.slots[row.index()];
        assert!(slot.value.is_none(), "a free row is empty");
        slot.value = Some(value);
        Handle { row, generation: slot.generation }
    }

    /// Empties a place and hands back what stood there.
    pub fn remove(&mut self, row: Row<T>) -> Option<T> {
        let slot = self.slots.get_mut(row.index())?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(row);
        Some(value)
    }

    /// What stands at a row.
    pub fn get(&self, row: Row<T>) -> Option<&T> {
        self.slots.get(row.index())?.value.as_ref()
    }

    /// What stands at a row, to change.
    pub fn get_mut(&mut self, row: Row<T>) -> Option<&mut T> {
        self.slots.get_mut(row.index())?.value.as_mut()
    }

    /// What stands at a handle, unless the place was given to somebody else.
    pub fn checked(&self, handle: Handle<T>) -> Option<&T> {
        let slot = self.slots.get(handle.row.index())?;
        if slot.generation == handle.generation { slot.value.as_ref() } else { None }
    }

    /// Like [`checked`](Self::checked), to change.
    pub fn checked_mut(&mut self, handle: Handle<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(handle.row.index())?;
        if slot.generation == handle.generation { slot.value.as_mut() } else { None }
    }

    /// The handle of a row that is in use.
    pub fn handle(&self, row: Row<T>) -> Option<Handle<T>> {
        let slot = self.slots.get(row.index())?;
        slot.value.as_ref().map(|_| Handle { row, generation: slot.generation })
    }

    /// Every row in use, in row order.
    pub fn iter(&self) -> impl Iterator<Item = (Row<T>, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| Some((Row::at(index), slot.value.as_ref()?)))
    }

    /// How many rows are in use.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether no row is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> std::ops::Index<Row<T>> for Column<T> {
    type Output = T;
    fn index(&self, row: Row<T>) -> &T {
        self.get(row).expect("the row is in use")
    }
}

impl<T> std::ops::IndexMut<Row<T>> for Column<T> {
    fn index_mut(&mut self, row: Row<T>) -> &mut T {
        self.get_mut(row).expect("the row is in use")
    }
}
