//! A reader that sums up what goes through it, and stops who reads more at once than a header may be.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::source::image::hex;

/// As much as the headers of one file of an archive may take: names that are too long for a header of their own and
/// further attributes, all of which are read into memory.
const HEADERS: u64 = 1 << 20;

/// How much may still be read.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    /// No more than headers, from now on.
    pub(super) fn headers(&self) {
        self.0.set(HEADERS);
    }

    /// Contents, which are not kept in memory.
    pub(super) fn contents(&self) {
        self.0.set(u64::MAX);
    }
}

/// See the module.
pub(super) struct Watched<R> {
    inner: R,
    digest: Sha256,
    allowance: Allowance,
}

impl<R> Watched<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, digest: Sha256::new(), allowance: Allowance(Rc::new(Cell::new(HEADERS))) }
    }

    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }

    /// The checksum of all that was read, as images name it.
    pub(super) fn checksum(self) -> String {
        format!("sha256:{}", hex(&self.digest.finalize()))
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        let left = self.allowance.0.get();
        match left.checked_sub(read as u64) {
            Some(rest) if left < u64::MAX => self.allowance.0.set(rest),
            Some(_) => {}
            None => return Err(io::Error::other("the headers of a file in it are longer than 1 MiB")),
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
