//! What may be left on a disk when the power goes.

use std::collections::BTreeMap;

use super::{Contents, Step};
use crate::dice::Dice;

/// The sizes in which disks write: all of one, or nothing of it.
const SECTORS: [usize; 2] = [512, 4096];

/// What of the steps so far is on the disk for good, and what may or may not be.
///
/// - What was done to a file before a flush of it that has returned is there; so are names, after a flush of the folder. A flush of a
///   file keeps no name, and none of another file's bytes.
/// - Of everything else any part may be there and any other missing, whatever the order in which it was done: a name without its file's
///   bytes, a later write without an earlier one, of a write some sectors without the others, a length without what was written.
/// - A sector that nobody wrote stays as it is, and within one that somebody did, the bytes beside what was written: no disk loses its
///   neighbours' bytes.
///
/// Between two flushes the possibilities only grow, and so does what has been promised. Whatever can be left at any moment can be left
/// just before the next flush, too: to cut the power there is enough.
#[derive(Default)]
pub struct Remains {
    kept: Contents,
    loose: Vec<Step>,
}

/// Which of the possibilities it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nothing that was not flushed is there.
    Bare,
    /// Everything is, as if only the process had died.
    Whole,
    /// Everything up to some moment is, and parts of what happened in it.
    InOrder,
    /// Parts of anything are: much of some files, little of others.
    Torn,
}

impl Remains {
    /// One step further.
    pub fn follow(&mut self, step: &Step) {
        match step {
            Step::Flushed { file } => self.settle(|loose| loose.concerns() == Some(*file)),
            Step::FolderFlushed => self.settle(|loose| loose.concerns().is_none()),
            loose => self.loose.push(loose.clone()),
        }
    }

    fn settle(&mut self, is_settled: impl Fn(&Step) -> bool) {
        let (settled, loose): (Vec<_>, Vec<_>) = std::mem::take(&mut self.loose).into_iter().partition(is_settled);
        self.kept.carry_out_all(&settled);
        self.loose = loose;
    }

    /// What is left when the power goes now.
    #[must_use]
    pub fn cut(&self, cut: Cut, dice: &Dice) -> Contents {
        let mut left = self.kept.clone();
        let sector = SECTORS[usize::from(dice.below(2) == 0)];
        match cut {
            Cut::Bare => {}
            Cut::Whole => left.carry_out_all(&self.loose),
            Cut::InOrder => {
                let (before, after) = self.loose.split_at(dice.index(self.loose.len()));
                left.carry_out_all(before);
                after.iter().take(1).for_each(|step| tear(&mut left, step, sector, 2, dice));
            }
            Cut::Torn => {
                let mut shares = BTreeMap::new();
                for step in &self.loose {
                    let share = *shares.entry(step.concerns()).or_insert_with(|| dice.below(5));
                    tear(&mut left, step, sector, share, dice);
                }
            }
        }
        left
    }
}

/// Does a part of a step, so many quarters of it on average.
fn tear(left: &mut Contents, step: &Step, sector: usize, share: u64, dice: &Dice) {
    let happens = || dice.below(4) < share;
    let Step::Written { file, at, data } = step else {
        if happens() {
            left.carry_out(step);
        }
        return;
    };
    let (mut from, end) = (*at, at + data.len());
    while from < end {
        let to = end.min((from / sector + 1) * sector);
        let (is_there, is_as_long) = (happens(), happens());
        if is_there {
            left.carry_out(&Step::Written { file: *file, at: from, data: data.slice(from - at..to - at) });
        } else if is_as_long {
            left.lengthen(*file, to);
        }
        from = to;
    }
}

impl Step {
    /// The file that it concerns; the folder if none.
    const fn concerns(&self) -> Option<usize> {
        match self {
            Self::Written { file, .. } | Self::Resized { file, .. } | Self::Flushed { file } => Some(*file),
            Self::Named { .. } | Self::Unnamed { .. } | Self::FolderFlushed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const A: usize = 0;
    const B: usize = 1;

    fn written(file: usize, at: usize, byte: u8, length: usize) -> Step {
        Step::Written { file, at, data: vec![byte; length].into() }
    }

    fn named(name: &str, file: usize) -> Step {
        Step::Named { name: name.to_owned(), file }
    }

    fn after(steps: &[Step]) -> Remains {
        let mut remains = Remains::default();
        for step in steps {
            remains.follow(step);
        }
        remains
    }

    fn file(contents: &Contents, name: &str) -> Option<Vec<u8>> {
        contents.named().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.to_vec())
    }

    /// Everything that can be found in a file, many times over.
    fn possibilities(remains: &Remains, name: &str) -> BTreeSet<Option<Vec<u8>>> {
        let dice = Dice::new(1, "possibilities");
        (0..1000).map(|_| file(&remains.cut(Cut::Torn, &dice), name)).collect()
    }

    #[test]
    fn what_was_flushed_is_there_whatever_else_is_lost() {
        let flushed = [named("a", A), written(A, 0, 1, 600), Step::Flushed { file: A }, Step::FolderFlushed];
        assert_eq!(possibilities(&after(&flushed), "a"), BTreeSet::from([Some(vec![1; 600])]));
    }

    #[test]
    fn a_flush_keeps_nothing_of_other_files_and_no_name() {
        let mut steps =
            vec![named("a", A), named("b", B), Step::FolderFlushed, written(A, 0, 1, 8), Step::Flushed { file: B }];
        let lost = after(&steps).cut(Cut::Bare, &Dice::new(1, ""));
        assert_eq!(file(&lost, "a"), Some(Vec::new()));
        steps.extend([named("c", 2), Step::Flushed { file: 2 }]);
        assert_eq!(possibilities(&after(&steps), "c"), BTreeSet::from([None, Some(Vec::new())]));
    }

    #[test]
    fn a_write_is_torn_at_sectors_and_its_length_may_stay_without_it() {
        let steps = [named("a", A), Step::FolderFlushed, written(A, 500, 1, 24)];
        let found = possibilities(&after(&steps), "a");
        let with = |first: u8, second: u8| Some([vec![0; 500], vec![first; 12], vec![second; 12]].concat());
        for possible in [with(1, 1), with(1, 0), with(0, 1), with(0, 0), Some(Vec::new())] {
            assert!(found.contains(&possible), "{possible:?}");
        }
        assert!(found.iter().flatten().all(|bytes| matches!(bytes.len(), 0 | 512 | 524)));
    }

    #[test]
    fn later_writes_may_be_there_without_earlier_ones_and_bytes_beside_them_stay() {
        let first = [named("a", A), written(A, 0, 9, 4), Step::Flushed { file: A }, Step::FolderFlushed];
        let steps = [&first[..], &[written(A, 0, 1, 1), written(A, 2, 2, 1)]].concat();
        let expected = [[9, 9, 9, 9], [1, 9, 9, 9], [9, 9, 2, 9], [1, 9, 2, 9]].map(|bytes| Some(bytes.to_vec()));
        assert_eq!(possibilities(&after(&steps), "a"), BTreeSet::from(expected));
    }

    #[test]
    fn in_order_nothing_is_there_without_what_was_before_it() {
        let steps: Vec<Step> = [named("a", A), Step::FolderFlushed]
            .into_iter()
            .chain((0..8).map(|at| written(A, at * 4096, 1, 4096)))
            .collect();
        let (remains, dice) = (after(&steps), Dice::new(1, "in order"));
        let left: Vec<Vec<u8>> = (0..200).filter_map(|_| file(&remains.cut(Cut::InOrder, &dice), "a")).collect();
        assert!(left.iter().all(|bytes| bytes[..bytes.len().saturating_sub(4096)].iter().all(|byte| *byte == 1)));
        assert!(left.iter().any(Vec::is_empty) && left.iter().any(|bytes| bytes.len() > 7 * 4096));
    }
}
