//! What is on a disk, and what can be done to it.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Something that was done to a disk. Files are known by the order of their creation: a name can be that of several, one after the
/// other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub enum Step {
    /// A new file got its name.
    Named { name: String, file: usize },
    /// A file lost its name.
    Unnamed { name: String },
    /// Bytes were written from that place on.
    Written { file: usize, at: usize, data: Bytes },
    /// A file was cut off, or got zeros at its end.
    Resized { file: usize, length: usize },
    /// A file was flushed: `fsync` or `fdatasync`.
    Flushed { file: usize },
    /// The folder was flushed, and so the names that are in it.
    FolderFlushed,
}

impl Step {
    /// Whether something was asked to be kept.
    #[must_use]
    pub const fn is_flush(&self) -> bool {
        matches!(self, Self::Flushed { .. } | Self::FolderFlushed)
    }
}

/// The files of a disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, usize>,
}

impl Contents {
    /// Does a step.
    pub fn carry_out(&mut self, step: &Step) {
        match step {
            Step::Named { name, file } => {
                self.file(*file);
                self.names.insert(name.clone(), *file);
            }
            Step::Unnamed { name } => {
                self.names.remove(name);
            }
            Step::Written { file, at, data } => {
                let end = at + data.len();
                self.lengthen(*file, end);
                self.file(*file)[*at..end].copy_from_slice(data);
            }
            Step::Resized { file, length } => self.file(*file).resize(*length, 0),
            Step::Flushed { .. } | Step::FolderFlushed => {}
        }
    }

    /// Does several, one after the other.
    pub fn carry_out_all(&mut self, steps: &[Step]) {
        for step in steps {
            self.carry_out(step);
        }
    }

    /// Gives a file that is shorter zeros at its end.
    pub fn lengthen(&mut self, file: usize, length: usize) {
        let bytes = self.file(file);
        if bytes.len() < length {
            bytes.resize(length, 0);
        }
    }

    /// The files that have a name.
    pub fn named(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.names.iter().map(|(name, file)| (name.as_str(), self.bytes(*file)))
    }

    /// The file of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// How many files there have been.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.files.len()
    }

    /// What is in a file.
    #[must_use]
    pub fn bytes(&self, file: usize) -> &[u8] {
        self.files.get(file).map_or(&[], Vec::as_slice)
    }

    fn file(&mut self, file: usize) -> &mut Vec<u8> {
        if self.files.len() <= file {
            self.files.resize_with(file + 1, Vec::new);
        }
        &mut self.files[file]
    }
}
