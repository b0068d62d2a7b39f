//! The standard streams of this process, for the loop that speaks the protocol.
//!
//! `tokio`'s own hand every read and every write to a thread of a pool, which costs a call two
//! wake-ups of another thread. On Linux a pipe or a socket is read and written by the loop itself:
//! it waits until the system says that a stream is ready, and then moves no more than goes without
//! waiting. The flags of the descriptors stay as they are, since others may share them. Everything
//! else (a file, a terminal, another system) is left to `tokio`.

use tokio::io::{AsyncRead, AsyncWrite};

/// Returns the standard input; must be called inside a runtime.
pub(crate) fn input() -> Box<dyn AsyncRead + Send + Unpin> {
    #[cfg(target_os = "linux")]
    if let Some(input) = direct::Input::open() {
        return Box::new(input);
    }
    Box::new(tokio::io::stdin())
}

/// Returns the standard output; must be called inside a runtime.
pub(crate) fn output() -> Box<dyn AsyncWrite + Send + Unpin> {
    #[cfg(target_os = "linux")]
    if let Some(output) = direct::Output::open() {
        return Box::new(output);
    }
    Box::new(tokio::io::stdout())
}

#[cfg(target_os = "linux")]
mod direct {
    use std::io;
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::FileType;
    use rustix::io::Errno;
    use tokio::io::unix::AsyncFd;
    use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

    /// The most that is read at once.
    const CHUNK: usize = 64 * 1024;

    /// What a pipe or a socket that is ready takes without waiting: a pipe that is not full has a
    /// page free, a socket that is ready three quarters of its buffer.
    const READY_BYTES: usize = 4096;

    /// Standard input that is a pipe or a socket.
    pub(super) struct Input {
        fd: AsyncFd<OwnedFd>,
        chunk: Vec<u8>,
    }

    /// Standard output that is a pipe or a socket.
    pub(super) struct Output {
        fd: AsyncFd<OwnedFd>,
        /// What an empty pipe takes at once; none for a socket.
        pipe_bytes: Option<usize>,
    }

    impl Input {
        pub(super) fn open() -> Option<Self> {
            let fd = io::stdin().as_fd().try_clone_to_owned().ok()?;
            kind(&fd)?;
            Some(Self { fd: watched(fd, Interest::READABLE)?, chunk: vec![0; CHUNK] })
        }
    }

    impl Output {
        pub(super) fn open() -> Option<Self> {
            let fd = io::stdout().as_fd().try_clone_to_owned().ok()?;
            let pipe_bytes = match kind(&fd)? {
                FileType::Fifo => rustix::pipe::fcntl_getpipe_size(&fd).ok(),
                _ => None,
            };
            Some(Self { fd: watched(fd, Interest::WRITABLE)?, pipe_bytes })
        }

        /// How much a stream that is ready takes without waiting.
        fn room(&self) -> usize {
            let is_empty = || rustix::io::ioctl_fionread(self.fd.get_ref()).is_ok_and(|n| n == 0);
            match self.pipe_bytes {
                Some(bytes) if bytes > READY_BYTES && is_empty() => bytes,
                _ => READY_BYTES,
            }
        }
    }

    impl AsyncRead for Input {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let Self { fd, chunk } = &mut *self;
            loop {
                let mut guard = ready!(fd.poll_read_ready(cx))?;
                if !is_ready(guard.get_inner(), PollFlags::IN)? {
                    guard.clear_ready();
                    continue;
                }
                let most = chunk.len().min(buf.remaining());
                let Some(room) = chunk.get_mut(..most) else { return Poll::Ready(Ok(())) };
                match rustix::io::read(guard.get_inner(), room) {
                    Ok(n) => {
                        buf.put_slice(chunk.get(..n).unwrap_or_default());
                        return Poll::Ready(Ok(()));
                    }
                    // Somebody who shares the stream was faster, or a signal came.
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
        }
    }

    impl AsyncWrite for Output {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            loop {
                let mut guard = ready!(self.fd.poll_write_ready(cx))?;
                if !is_ready(guard.get_inner(), PollFlags::OUT)? {
                    guard.clear_ready();
                    continue;
                }
                let room = bytes.len().min(self.room());
                let now = bytes.get(..room).unwrap_or_default();
                match rustix::io::write(guard.get_inner(), now) {
                    Ok(n) => return Poll::Ready(Ok(n)),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// What kind of stream this is, if it is one that can be waited for.
    fn kind(fd: &OwnedFd) -> Option<FileType> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(fd).ok()?.st_mode);
        matches!(kind, FileType::Fifo | FileType::Socket).then_some(kind)
    }

    /// Has the runtime tell when a stream is ready; none where it cannot.
    #[expect(
        deprecated,
        reason = "unsound only where the descriptor is closed meanwhile: it is owned"
    )]
    fn watched(fd: OwnedFd, interest: Interest) -> Option<AsyncFd<OwnedFd>> {
        AsyncFd::with_interest(fd, interest).ok()
    }

    /// Whether reading or writing would not wait; also where it would fail at once.
    fn is_ready(fd: &OwnedFd, flags: PollFlags) -> io::Result<bool> {
        let mut fds = [PollFd::new(fd, flags)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut fds, Some(&now)) {
                Ok(n) => return Ok(n > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
