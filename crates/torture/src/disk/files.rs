//! The disk as the system sees it: a file system that answers from memory, one question after the other.

use std::{
    ffi::OsStr,
    sync::{Arc, MutexGuard},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    ReplyAttr, ReplyCreate, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::{Record, State, Step};

/// The system may remember what it was told: nobody but it changes anything.
const REMEMBERED: Duration = Duration::from_hours(1);

/// The longest file, in bytes.
const LONGEST: usize = 256 << 20;

/// Files have the numbers after the folder's.
const FIRST: u64 = INodeNo::ROOT.0 + 1;

pub(super) struct Files(Arc<State>);

impl Files {
    pub(super) const fn new(state: Arc<State>) -> Self {
        Self(state)
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock()
    }
}

/// The file that the system means, and a place in it.
fn place(number: INodeNo, at: u64, length: usize) -> Result<(usize, usize), Errno> {
    let file = number.0.checked_sub(FIRST).and_then(|file| usize::try_from(file).ok()).ok_or(Errno::EISDIR)?;
    let end = usize::try_from(at).ok().and_then(|at| at.checked_add(length)).filter(|end| *end <= LONGEST);
    Ok((file, end.ok_or(Errno::EFBIG)? - length))
}

fn name_of(name: &OsStr) -> Result<String, Errno> {
    name.to_str().map(str::to_owned).ok_or(Errno::EINVAL)
}

fn attributes(record: &Record, number: INodeNo, request: &Request) -> FileAttr {
    let folder = number == INodeNo::ROOT;
    let size = place(number, 0, 0).map_or(0, |(file, _)| record.contents.bytes(file).len() as u64);
    let (kind, perm) = if folder { (FileType::Directory, 0o700) } else { (FileType::RegularFile, 0o600) };
    let never = SystemTime::UNIX_EPOCH;
    let (uid, gid) = (request.uid(), request.gid());
    FileAttr {
        ino: number,
        size,
        blocks: size.div_ceil(512),
        atime: never,
        mtime: never,
        ctime: never,
        crtime: never,
        kind,
        perm,
        nlink: 1,
        uid,
        gid,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

impl Filesystem for Files {
    fn lookup(&self, request: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let record = self.lock();
        match name.to_str().and_then(|name| record.contents.find(name)) {
            Some(file) => {
                let number = INodeNo(FIRST + file as u64);
                reply.entry(&REMEMBERED, &attributes(&record, number, request), Generation(0));
            }
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, request: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&REMEMBERED, &attributes(&self.lock(), number, request));
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut record = self.lock();
        if let Some(size) = size {
            match place(number, size, 0) {
                Ok((file, length)) => record.carry_out(Step::Resized { file, length }),
                Err(error) => return reply.error(error),
            }
        }
        reply.attr(&REMEMBERED, &attributes(&record, number, request));
    }

    fn create(&self, request: &Request, _: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let mut record = self.lock();
        let file = record.contents.count();
        match name_of(name) {
            Ok(name) => record.carry_out(Step::Named { name, file }),
            Err(error) => return reply.error(error),
        }
        record.open += 1;
        let attributes = attributes(&record, INodeNo(FIRST + file as u64), request);
        reply.created(&REMEMBERED, &attributes, Generation(0), FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        match name_of(name) {
            Ok(name) => {
                self.lock().carry_out(Step::Unnamed { name });
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.lock().open += 1;
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        at: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match place(number, at, 0) {
            Ok((file, at)) => {
                let record = self.lock();
                let bytes = record.contents.bytes(file).get(at..).unwrap_or_default();
                reply.data(&bytes[..bytes.len().min(length as usize)]);
            }
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        at: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match place(number, at, data.len()) {
            Ok((file, at)) => {
                self.lock().carry_out(Step::Written { file, at, data: Bytes::copy_from_slice(data) });
                reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX));
            }
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.lock().open -= 1;
        self.0.closed.notify_all();
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match place(number, 0, 0) {
            Ok((file, _)) => {
                self.lock().carry_out(Step::Flushed { file });
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.lock().carry_out(Step::FolderFlushed);
        reply.ok();
    }
}
