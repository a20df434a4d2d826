//! Messages between the harness and the processes of a Pod: JSON, bytes, and open files, over a pair of sockets.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// As many open files as one message carries.
pub(super) const MOST_FILES: usize = 32;

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Wire(UnixStream);

/// What came.
pub(super) struct Received<T> {
    pub(super) message: T,
    pub(super) bytes: Vec<u8>,
    pub(super) files: Vec<OwnedFd>,
}

impl Wire {
    /// Both ends of a new connection; the second is for another process.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (own, other) = UnixStream::pair()?;
        Ok((Self(own), other.into()))
    }

    /// The end that a process was given.
    pub(super) fn of(end: OwnedFd) -> Self {
        Self(end.into())
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &impl Serialize, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let text = serde_json::to_vec(message)?;
        let mut head = [0; 8];
        head[..4].copy_from_slice(&length(&text)?);
        head[4..].copy_from_slice(&length(bytes)?);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(files));
        }
        // Eight bytes go in one piece or not at all.
        rustix::net::sendmsg(&self.0, &[IoSlice::new(&head)], &mut ancillary, SendFlags::NOSIGNAL)?;
        let mut stream = &self.0;
        stream.write_all(&text)?;
        stream.write_all(bytes)
    }

    /// Waits for a message. The other end's end is an error.
    pub(super) fn receive<T: DeserializeOwned>(&self) -> io::Result<Received<T>> {
        let mut head = [0; 8];
        let mut files = Vec::new();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL;
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(&self.0, &mut [IoSliceMut::new(&mut head)], &mut ancillary, flags)
        })?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(sent) = message {
                files.extend(sent);
            }
        }
        if received.bytes < head.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut stream = &self.0;
        let mut take = |length: &[u8]| -> io::Result<Vec<u8>> {
            let length = length.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            let mut bytes = vec![0; length];
            stream.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let (text, bytes) = (take(&head[..4])?, take(&head[4..])?);
        Ok(Received { message: serde_json::from_slice(&text)?, bytes, files })
    }

    /// Ends the connection, whoever else holds this end.
    pub(super) fn close(&self) {
        // One that has ended already is what is wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    Ok(u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_bytes_and_open_files_arrive_together() {
        let (one, other) = Wire::pair().expect("a pair");
        let other = Wire::of(other);
        let bytes = vec![7; 300_000];
        let sending = std::thread::spawn(move || {
            let (mut read, write) = std::io::pipe().expect("a pipe");
            one.send(&("hello", 5), &bytes, &[write.as_fd()]).expect("sent");
            drop(write);
            let mut text = String::new();
            read.read_to_string(&mut text).expect("read");
            text
        });
        let received: Received<(String, i32)> = other.receive().expect("received");
        assert_eq!((received.message, received.bytes.len()), (("hello".to_owned(), 5), 300_000));
        let mut write = std::fs::File::from(received.files.into_iter().next().expect("a file"));
        write.write_all(b"hi").expect("written");
        drop(write);
        assert_eq!(sending.join().expect("it ended"), "hi");
        assert!(other.receive::<()>().is_err());
    }
}
